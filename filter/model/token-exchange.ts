import { Span } from '../bytes/span';

/** Where a caller's token is exchanged for one of a server (RFC 8693), and for what. */
@unmanaged
export class TokenExchange {
  cluster: Span;
  authority: Span;
  path: Span;
  /** The Authorization header that the gateway shows there who it is with; NONE: it does not. */
  authorization: Span;
  /** The form that is sent there, up to the value of `subject_token`. */
  form: Span;
}
