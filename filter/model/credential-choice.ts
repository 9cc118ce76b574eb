import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, equals } from '../bytes/span';
import { CredentialKind, Credentials, newCredentials } from './credentials';
import { NameSet } from './name-set';
import { Server } from './server';

/** One of the credentials that a server may be sent, and for whom it is. */
@unmanaged
export class CredentialOption {
  /** The environment variable that holds it: what it is called wherever it must not be shown. */
  name: Span;
  /** For requests to these, by path or header; null: to any. */
  virtualServers: NameSet | null;
  /** For callers whose claim answers one of these questions with yes, by number in the tree; null: nothing is asked of it. */
  tests: List | null;
  /** For those whose trusted header has one of these values; null: nothing is asked of it. */
  values: List | null;
  credentials: Credentials;
  /** The server, as it is for who is sent this. */
  server: Server;

  /** Whether it has a value of a header. */
  hasValue(value: Span): bool {
    const values = this.values!;
    for (let i = 0; i < values.count; i++) if (equals(values.at(i), value)) return true;
    return false;
  }
}

/** Which credential a server is sent: the first option that fits the request, else what all others are sent. */
@unmanaged
export class CredentialChoice {
  /** The claim that is asked, as it stands in the configuration, or NONE. */
  claim: Span;
  /** The header of an earlier filter that is asked, or NONE. */
  trustedHeader: Span;
  /** Elements are CredentialOption, in the order of the configuration. */
  options: List;
  /** For who fits none; without a name they are refused. */
  otherwise: CredentialOption;

  optionAt(index: i32): CredentialOption {
    return changetype<CredentialOption>(this.options.at(index) as usize);
  }
}

export function newCredentialChoice(arena: Arena): CredentialChoice {
  const choice = make<CredentialChoice>(arena);
  choice.options = newList(arena);
  choice.otherwise = make<CredentialOption>(arena);
  choice.otherwise.credentials = newCredentials(CredentialKind.Refused, arena);
  return choice;
}

/** The same server with other credentials. What is noted of a server later has to be noted of both. */
export function withCredentials(server: Server, credentials: Credentials, arena: Arena): Server {
  const variant = make<Server>(arena);
  memory.copy(changetype<usize>(variant), changetype<usize>(server), offsetof<Server>());
  variant.credentials = credentials;
  return variant;
}
