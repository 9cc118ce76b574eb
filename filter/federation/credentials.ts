import { Arena } from '../bytes/arena';
import { HeaderList, headerIn } from '../bytes/pairs';
import { Span, equals, NONE } from '../bytes/span';
import { CredentialKind, Credentials } from '../config/gateway';

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

/** An edit that keeps a client's header from a server that it is not meant for (MCP authorization: no passthrough). */
export function withhold(edits: HeaderList, credentials: Credentials, name: Span): void {
  for (let i = 0; i < credentials.headers.count; i++) if (equals(credentials.headers.at(i), name)) return;
  edits.add(name, NONE);
}
