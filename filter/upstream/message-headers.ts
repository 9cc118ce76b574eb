import { Arena } from '../bytes/arena';
import { HeaderList, newHeaderList } from '../bytes/pairs';
import { Span, NONE } from '../bytes/span';
import { headerText } from '../mcp/header-text';
import * as header from '../mcp/headers';
import { Method, methodRow, methodText } from '../mcp/methods';
import { Revision, revisionText } from '../mcp/revisions';
import { dialectRow, spokenDialect } from '../model/dialects';

/**
 * What the headers say of a message to a server: of the client's as of the gateway's own, in the server's dialect.
 * @param name of what it asks for, at the server; NONE: the headers do not say it
 */
export function messageHeaders(arena: Arena, revision: Revision, method: Method, name: Span): HeaderList {
  const headers = newHeaderList(arena)
    .add(header.PROTOCOL_VERSION, revisionText(revision))
    .add(header.CONTENT_TYPE, header.JSON_TYPE)
    .add(header.ACCEPT, header.JSON_OR_EVENTS)
    .add(header.ACCEPT_ENCODING, header.IDENTITY);
  if (dialectRow(spokenDialect(revision)).repeatsInHeaders) repeatMessage(headers, method, name);
  return headers;
}

/** What they repeat of it (MCP 2026-07-28, `Mcp-Method` and `Mcp-Name`). @param name see `messageHeaders` */
export function repeatMessage(headers: HeaderList, method: Method, name: Span): void {
  // One that is not known here passes as the client said it.
  if (method !== Method.Unknown) headers.add(header.MCP_METHOD, methodText(method));
  if (name !== NONE && methodRow(method).hasNameHeader) headers.add(header.MCP_NAME, headerText(name, headers.arena));
}

/** The same of a request for the stream of a session, which has no message. */
export function streamHeaders(arena: Arena, revision: Revision): HeaderList {
  return newHeaderList(arena)
    .add(header.PROTOCOL_VERSION, revisionText(revision))
    .add(header.ACCEPT, header.EVENTS_TYPE)
    .add(header.ACCEPT_ENCODING, header.IDENTITY);
}

/** The same over HTTP+SSE, which has no header for the revision. @param isStream the stream is asked for, no message is sent */
export function httpSseHeaders(arena: Arena, isStream: bool): HeaderList {
  const headers = newHeaderList(arena).add(header.PROTOCOL_VERSION, NONE).add(header.ACCEPT_ENCODING, header.IDENTITY);
  return isStream ? headers.add(header.ACCEPT, header.EVENTS_TYPE) : headers.add(header.CONTENT_TYPE, header.JSON_TYPE);
}
