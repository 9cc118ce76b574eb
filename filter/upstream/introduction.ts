import { Span } from '../bytes/span';
import { Revision } from '../mcp/revisions';

/** What a client says of itself in `initialize`: its servers are told the same. */
@unmanaged
export class Introduction {
  revision: Revision;
  /** JSON objects. */
  capabilities: Span;
  info: Span;
}
