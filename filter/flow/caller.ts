import { Arena, make } from '../bytes/arena';
import { Span } from '../bytes/span';
import { AllowedCapabilities } from '../model/allowed-capabilities';
import { AllowedNames, allowedNames, isForSubject } from '../policy/allowed-names';
import { ClaimAnswers } from '../policy/claims';
import { Reach } from '../policy/host';
import { Scope } from '../policy/scope';
import { NOBODY, subjectOf } from '../session/audience';
import { Session } from '../session/token';

/** Who asks, and what that lets a request see. */
@unmanaged
export class Caller {
  /** Where the client's connection ended; set only where `needsReach`. */
  reach: Reach;
  /** The allowed origin of the web page that asks, or NONE. */
  page: Span;
  /** Who asks, see `identityOf`: empty where nobody asks, NONE where the configuration does and there is none. */
  identity: Span;
  /** Why its token is not good, in a few words; NONE: it has sent none, or nobody says. */
  tokenFault: Span;
  /** Where the connection comes from, without its port; NONE: nobody asks for it. */
  address: Span;
  /** What the token says to the questions of the authorization rules; null where there are none. */
  answers: ClaimAnswers | null;
  /** What the header lists that says what it may use; null: none is asked for. */
  allowed: AllowedNames | null;
  /** That list was made for another one than who asks. */
  hasOthersList: bool;
  /** What this request may see; settled by `enter`. */
  scope: Scope;
  /** The virtual server that narrows it, or NONE. */
  scoped: Span;
  /** Whom its session is for. */
  audience: Span;
  session: Session | null;
  /** Names the session in logs; 0 where there is none. Made from its token id, which opens nothing. */
  sessionTag: u64;

  /** Reads the list of what it may use, once its identity is known. The parameters are those of `allowedNames`. */
  readAllowed(allowed: AllowedCapabilities, payload: Span, lines: i32, servers: i32, arena: Arena): void {
    this.allowed = allowedNames(allowed, payload, lines, servers, arena);
    this.hasOthersList = !isForSubject(allowed, payload, subjectOf(this.identity), arena);
  }
}

export function newCaller(arena: Arena): Caller {
  const caller = make<Caller>(arena);
  caller.identity = NOBODY;
  return caller;
}
