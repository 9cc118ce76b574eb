/** Times are milliseconds, sizes bytes. */
@unmanaged
export class Limits {
  heldBody: u32;
  /** Per worker. */
  bufferedBytes: u32;
  /** 0: none. */
  requestBody: u32;
  drainBytes: u32;
  handshakeTimeout: u32;
  listTimeout: u32;
  callTimeout: u32;
  listPages: u32;
  listBytes: u32;
  fanOut: u32;
  /** Bytes of what a client says of itself, which every server gets. */
  clientInfo: u32;
  /** Messages of a batch. */
  batch: u32;
  /** Bytes of a server's answer in passing that are kept until it is known what becomes of them. */
  event: u32;
  /** Bytes of what a REST service answers, and of what a template makes of it. */
  restResponse: u32;
}
