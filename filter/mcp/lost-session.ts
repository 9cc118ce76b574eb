import { Span, contains, literal } from '../bytes/span';

/**
 * How servers say that they do not know a session. MCP asks for 404; the others were seen of servers, as their default or
 * in versions that are still in use. Whoever answers so has not run the call, unless there is a result in the answer.
 */
export function mayMeanLostSession(status: u32): bool {
  switch (status) {
    case 400: // the TypeScript SDK's examples before 1.32, the Python SDK before 1.26, mcp-go before 1.0
    case 401: // rmcp before 1.0
    case 404: // what MCP asks for
    case 410: // HTTP's own word for what is gone
    case 422: // rmcp, of a message that is not the first of a session
      return true;
    default:
      return false;
  }
}

/** The one error under 200 that was seen to come before a tool is looked at (go-sdk): a part of its message. */
const BEFORE_INITIALIZED = literal(' is invalid during session initialization');

/** @param message of a JSON-RPC error under 200 */
export function meansLostSession(message: Span): bool {
  return contains(message, BEFORE_INITIALIZED);
}
