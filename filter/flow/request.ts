import {
  COLON,
  LOWER_C,
  LOWER_M,
  LOWER_O,
  LOWER_T,
  LOWER_V,
  LOWER_X,
  QUESTION_MARK,
  SLASH,
  ZERO,
} from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { joined, readPairs } from '../bytes/pairs';
import { Span, after, equals, first, indexOf, length, limit, pointer, startsWith, NONE } from '../bytes/span';
import * as header from '../mcp/headers';

/** The headers of a request that matter to us, read once. */
@unmanaged
export class Request {
  /** As the host gave them. */
  received: Span;
  /** The same, for what is looked up rarely; with the trace that the message says, see trace-context.ts. */
  pairs: Span;
  method: Span;
  path: Span;
  authority: Span;
  /** The last one, and how many there are. */
  origin: Span;
  origins: u32;
  via: Span;
  /** NONE also where it is empty: that names no session. */
  sessionId: Span;
  /** It has that header, which may be empty. */
  namesSession: bool;
  protocolVersion: Span;
  /** NONE where there are several: each reader may believe another one. */
  mcpMethod: Span;
  mcpName: Span;
  /** It has that header, once or more often. */
  hasMcpName: bool;
  virtualServer: Span;
  hasContentLength: bool;
  /** Bytes of the body; 0 where it is not said. */
  contentLength: u64;
  /** Sent in chunks over HTTP/1.1: how long the body is, its end will say. No header says so, as the host takes it out. */
  isChunked: bool;
  /** Trailers are announced. */
  hasTrailer: bool;

  /**
   * Whether the end of the body may come without a part of it: as trailers, announced or over HTTP/2. Where a length is
   * told, its last byte is the end. Over HTTP/1.1 they are announced (RFC 9110 §6.6.2), and mostly left out by Envoy.
   */
  get mayEndInTrailers(): bool {
    return !this.hasContentLength && (this.hasTrailer || !this.isChunked);
  }
}

/** What has to be known of every request, ours or not. */
@unmanaged
export class HeaderScan {
  path: Span;
  /** Headers that only the gateway may set and this request came with: to be removed. By index of `trustedHeader`. */
  forged: u32;
}

export const TRUSTED_HEADERS: i32 = 9;

export function trustedHeader(index: i32): Span {
  switch (index) {
    case 0:
      return header.SERVER_NAME;
    case 1:
      return header.METHOD_NAME;
    case 2:
      return header.TOOL_NAME;
    case 3:
      return header.PROMPT_NAME;
    case 4:
      return header.ORIGINAL_DST_HOST;
    case 5:
      return header.RESOURCE_URI;
    case 6:
      return header.ENDPOINT;
    case 7:
      return header.EVENT_NAME;
    default:
      return header.CLUSTER;
  }
}

export function scanHeaders(headers: Span, arena: Arena): HeaderScan {
  const seen = make<HeaderScan>(arena);
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    const name = pairs.name;
    const initial = load<u8>(pointer(name));
    if (initial === COLON) {
      if (equals(name, header.PATH)) seen.path = pairs.value;
    } else if (initial === LOWER_X) {
      // As all of them begin.
      for (let i = 0; i < TRUSTED_HEADERS; i++) if (equals(name, trustedHeader(i))) seen.forged |= 1 << i;
    }
  }
  return seen;
}

export function readRequest(headers: Span, arena: Arena): Request {
  const request = make<Request>(arena);
  request.received = headers;
  request.pairs = headers;
  let seenMethod = false;
  for (const pairs = readPairs(headers, arena); pairs.next();) {
    const name = pairs.name;
    // Most headers are told by their first letter.
    switch (load<u8>(pointer(name))) {
      case COLON:
        if (equals(name, header.METHOD)) request.method = pairs.value;
        else if (equals(name, header.PATH)) request.path = pairs.value;
        else if (equals(name, header.AUTHORITY)) request.authority = pairs.value;
        break;
      case LOWER_C:
        if (equals(name, header.CONTENT_LENGTH)) {
          request.hasContentLength = true;
          request.contentLength = numberIn(pairs.value);
        }
        break;
      case LOWER_M:
        if (equals(name, header.SESSION_ID)) {
          request.namesSession = true;
          request.sessionId = length(pairs.value) === 0 ? NONE : pairs.value;
        } else if (equals(name, header.PROTOCOL_VERSION)) request.protocolVersion = pairs.value;
        else if (equals(name, header.MCP_METHOD)) {
          request.mcpMethod = seenMethod ? NONE : pairs.value;
          seenMethod = true;
        } else if (equals(name, header.MCP_NAME)) {
          request.mcpName = request.hasMcpName ? NONE : pairs.value;
          request.hasMcpName = true;
        }
        break;
      case LOWER_O:
        if (equals(name, header.ORIGIN)) {
          request.origin = pairs.value;
          request.origins++;
        }
        break;
      case LOWER_T:
        if (equals(name, header.TRAILER)) request.hasTrailer = true;
        break;
      case LOWER_V:
        if (equals(name, header.VIA)) request.via = joined(request.via, pairs.value, arena);
        break;
      case LOWER_X:
        if (equals(name, header.VIRTUAL_SERVER)) {
          request.virtualServer = joined(request.virtualServer, pairs.value, arena);
        }
        break;
      default:
        break;
    }
  }
  return request;
}

/** What decimal digits say; more than 63 bits hold, or anything else, is their most. */
function numberIn(text: Span): u64 {
  const most: u64 = i64.MAX_VALUE as u64;
  let number: u64 = 0;
  for (let at = pointer(text); at < limit(text); at++) {
    const digit = (load<u8>(at) as u32) - ZERO;
    if (digit > 9 || number > most / 10 - 1) return most;
    number = number * 10 + (digit as u64);
  }
  return number;
}

/** What follows the endpoint in a path, query left out: empty, also for a slash alone, or a slash and more. NONE: not our path. */
export function behindEndpoint(path: Span, endpoint: Span): Span {
  if (path === NONE || !startsWith(path, endpoint)) return NONE;
  const rest = after(path, endpoint as u32);
  const query = indexOf(rest, QUESTION_MARK);
  const own = query < 0 ? rest : first(rest, query as u32);
  if (length(own) === 0) return own;
  if (load<u8>(pointer(own)) !== SLASH) return NONE;
  return length(own) === 1 ? first(own, 0) : own;
}
