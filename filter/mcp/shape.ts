/** What a message is (JSON-RPC 2.0 §4, §5). */
export const enum Shape {
  /** Not yet known, or refused. */
  None,
  Request,
  Notification,
  Response,
}
