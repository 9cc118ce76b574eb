import { Span } from '../bytes/span';

/** How the gateway learns who asks. */
export const enum IdentityKind {
  None,
  /** From a token that Envoy's jwt_authn filter verified. */
  Jwt,
  /** From a header that an earlier filter sets, and that no client can. */
  TrustedHeader,
}

@unmanaged
export class Identity {
  kind: IdentityKind;
  /** Where `kind` is Jwt: filter and name of the verified payload in the metadata of all filters, NUL between. */
  payload: Span;
  /** Where `kind` is Jwt: the host's names of both claims. */
  subject: Span;
  issuer: Span;
  /** Where `kind` is TrustedHeader: its name. */
  header: Span;
}
