import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, equals } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { CredentialChoice } from './credential-choice';
import { TokenExchange } from './token-exchange';

/** What an upstream is sent as proof of who asks. In the order of the configuration's names, as far as they have one. */
export const enum CredentialKind {
  /** The client's own credentials are removed: a token for us is not one for others (MCP authorization). */
  None,
  /** A fixed header, its value from the environment. */
  Header,
  /** The named headers of the client pass. */
  Passthrough,
  /** One of several, by who asks and through which virtual server; then each request has a Header or is Refused. */
  Choice,
  /** A token that the caller's own is exchanged for; each request has it as `value`, or is Refused. */
  Exchange,
  /** There is none for this request: the server is sent nothing. */
  Refused,
}

@unmanaged
export class Credentials {
  kind: CredentialKind;
  /** Where `kind` is Header, Choice or Exchange: its name; where it is Header, or a token was exchanged: its value. */
  header: Span;
  value: Span;
  /** Headers of the client, lower case, that pass; where `kind` is Exchange: that of the token which is exchanged. */
  headers: List;
  /** Where `kind` is Choice; else null. */
  choice: CredentialChoice | null;
  /** Where `kind` is Exchange; else null. */
  exchange: TokenExchange | null;
  /** Where `kind` is Refused: why. */
  refusal: Reason;
  detail: Span;

  /** What the server is sent depends on what each client sends. */
  get isOfClient(): bool {
    return this.kind === CredentialKind.Passthrough || this.kind === CredentialKind.Exchange;
  }

  /** Whether the client's header of that name goes to the server. */
  passes(name: Span): bool {
    if (this.kind !== CredentialKind.Passthrough) return false;
    for (let i = 0; i < this.headers.count; i++) if (equals(this.headers.at(i), name)) return true;
    return false;
  }
}

export function newCredentials(kind: CredentialKind, arena: Arena): Credentials {
  const credentials = make<Credentials>(arena);
  credentials.kind = kind;
  credentials.headers = newList(arena);
  return credentials;
}
