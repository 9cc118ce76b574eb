import { List } from '../bytes/list';
import { Span, equals } from '../bytes/span';

/** What an upstream is sent as proof of who asks. */
export const enum CredentialKind {
  /** The client's own credentials are removed: a token for us is not one for others (MCP authorization). */
  None,
  /** A fixed header, its value from the environment. */
  Header,
  /** The named headers of the client pass. */
  Passthrough,
}

@unmanaged
export class Credentials {
  kind: CredentialKind;
  /** Where `kind` is Header: its name and value. */
  header: Span;
  value: Span;
  /** Where `kind` is Passthrough: names, lower case. */
  headers: List;

  /** Whether the client's header of that name goes to the server. */
  passes(name: Span): bool {
    for (let i = 0; i < this.headers.count; i++) if (equals(this.headers.at(i), name)) return true;
    return false;
  }
}
