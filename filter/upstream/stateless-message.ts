import { Arena } from '../bytes/arena';
import { Span, after, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Method, methodText } from '../mcp/methods';
import { STATELESS_META_OPEN } from '../mcp/request-meta';
import { OUR_INFO } from '../version';
import { requestMessage } from './message';

/**
 * A request of our own to a server without sessions (MCP 2026-07-28, base protocol). It is of the gateway: what a list
 * shows must not depend on which client asks for it first.
 */
const OPEN = literal('{"_meta":');
const CLOSE = literal('}');
const COMMA = literal(',');
const NO_CAPABILITIES = literal('{}');

/** @param params an object that is not empty, as JSON, or NONE */
export function statelessRequest(id: Span, method: Method, params: Span, arena: Arena): Span {
  const whole = newWriter(arena, 320).bytes(OPEN);
  whole.bytes(requestMeta(NO_CAPABILITIES, OUR_INFO, arena));
  if (params === NONE) whole.bytes(CLOSE);
  else whole.bytes(COMMA).bytes(after(params, 1));
  return requestMessage(id, methodText(method), whole.written, arena);
}

const INFO = literal(',"io.modelcontextprotocol/clientInfo":');

/** What a request says of its client. @param capabilities JSON objects, as `info` */
export function requestMeta(capabilities: Span, info: Span, arena: Arena): Span {
  return newWriter(arena, ((length(capabilities) + length(info)) as usize) + 192)
    .bytes(STATELESS_META_OPEN)
    .bytes(capabilities)
    .bytes(INFO)
    .bytes(info)
    .bytes(CLOSE).written;
}
