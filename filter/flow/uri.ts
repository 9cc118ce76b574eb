import { QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { offsetBehind, textOf, writeEscaped } from '../json/text';
import { isWeb } from '../mcp/resource-uri';
import { Server } from '../model/server';
import { markIn, ownerOfUri, ownUri } from '../model/uri-owner';
import { Session } from '../session/token';
import { aim, goToTarget } from './aim';
import { Exchange, Outcome } from './exchange';
import { beginFind } from './find';
import { isWithinQuotas } from './quotas';
import { serverOf } from './http-sse';

const NO_URI = literal('params.uri is missing or not a string');
const DATA_URI = literal(',"uri":"');
/** Bytes of a URI that an error repeats. */
const MOST_REPEATED = 1024;

/** `resources/read`, …: to the server that the URI belongs to, with the server's mark cut out of its bytes. */
export function beginUri(exchange: Exchange, session: Session): Outcome {
  const unknown = exchange.noun.unknown;
  const token = exchange.message.envelope.keyIn(exchange.message.body);
  if (token === NONE) return exchange.refuse(unknown, NO_URI);
  const uri = textOf(token, scratch);
  // No URI that is not text can be in a list (a lone surrogate has no UTF-8 form).
  if (uri === NONE) return exchange.refuse(unknown, token);
  let server = ownerOfUri(exchange.gateway, uri);
  if (server === null && isWeb(uri)) {
    if (!exchange.isHttpSse) return beginFind(exchange, session, uri);
    server = serverOf(exchange, session);
  }
  if (!aimAtUri(exchange, uri, server, token) || !isWithinQuotas(exchange)) return Outcome.Reply;
  return goToTarget(exchange, session);
}

/** False where this request may not use it; `plan.reply` then says so. @param token of the URI, in the body */
function aimAtUri(exchange: Exchange, uri: Span, server: Server | null, token: Span): bool {
  const at = server === null ? -1 : markIn(server, uri);
  const size = at < 0 ? 0 : length(server!.mark);
  const own: Span = server === null ? uri : ownUri(server, uri, scratch);
  const target = aim(exchange, uri, server, own, exchange.noun.unknown, uriMember(uri));
  if (target === null) return false;
  if (size === 0) return true;
  const start = (exchange.message.envelope.key >> 32) as u32;
  target.cutFrom = start + offsetBehind(token, at);
  target.cutTo = start + offsetBehind(token, at + size);
  return true;
}

/** A member of `data` of an error: MCP's own example says which resource was not found. */
export function uriMember(uri: Span): Span {
  if (length(uri) > MOST_REPEATED) return NONE;
  const member = newWriter(scratch, (length(uri) as usize) + 16).bytes(DATA_URI);
  writeEscaped(member, uri);
  return member.byte(QUOTE).written;
}
