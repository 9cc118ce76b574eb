import { Arena } from '../bytes/arena';
import { HeaderList, headerIn } from '../bytes/pairs';
import { Span, equals, NONE } from '../bytes/span';
import { CredentialKind, Credentials } from '../config/gateway';
import * as header from '../mcp/headers';

/** Puts the credentials for a server into the headers of a message of our own. @param client the client's headers */
export function addCredentials(to: HeaderList, credentials: Credentials, client: Span, arena: Arena): void {
  if (credentials.kind === CredentialKind.Header) to.add(credentials.header, credentials.value);
  if (credentials.kind !== CredentialKind.Passthrough) return;
  for (let i = 0; i < credentials.headers.count; i++) {
    const name: Span = credentials.headers.at(i);
    const value = headerIn(client, name, arena);
    if (value !== NONE) to.add(name, value);
  }
}

/**
 * As edits of the client's own headers: what is not meant for this server is removed (MCP authorization: no passthrough).
 * @param identity the header that says who asks, or NONE
 */
export function editCredentials(edits: HeaderList, credentials: Credentials, identity: Span): void {
  if (identity !== NONE) removeUnlessPassed(edits, credentials, identity);
  removeUnlessPassed(edits, credentials, header.AUTHORIZATION);
  removeUnlessPassed(edits, credentials, header.COOKIE);
  removeUnlessPassed(edits, credentials, header.PROXY_AUTHORIZATION);
  if (credentials.kind === CredentialKind.Header) edits.add(credentials.header, credentials.value);
}

function removeUnlessPassed(edits: HeaderList, credentials: Credentials, name: Span): void {
  for (let i = 0; i < credentials.headers.count; i++) if (equals(credentials.headers.at(i), name)) return;
  edits.add(name, NONE);
}
