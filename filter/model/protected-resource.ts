import { Span } from '../bytes/span';

/** The gateway as OAuth sees it, a resource that tokens are made for (RFC 9728). */
@unmanaged
export class ProtectedResource {
  /** How authorization servers know it, or NONE: by its URL. */
  identifier: Span;
  /** Scopes that a client may ask for, a space between. */
  scopes: Span;
  /** Members of the metadata document behind the first, as JSON with a leading comma. */
  members: Span;
  /** How many issuers' tokens the filter before the module verifies; 0 where the configuration does not say. */
  issuers: u32;
}
