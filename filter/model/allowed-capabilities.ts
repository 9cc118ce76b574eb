import { NameTable } from '../bytes/names';
import { Span } from '../bytes/span';

/** How the gateway reads the header that lists what its caller may use (`x-mcp-authorized`). */
@unmanaged
export class AllowedCapabilities {
  /** Filter and name of the header's verified payload in the metadata of all filters, NUL between. */
  payload: Span;
  /** The name of the claim that has the list, a JSON text. */
  claim: Span;
  /** The name of the claim that has the subject for whom the list is; NONE: it is for whoever sends it. */
  subject: Span;
  /** What the header does not speak of is not narrowed; else it is hidden. */
  allowsAbsent: bool;
  /** The index of a server, and 1, by the name that the header has for it. */
  servers: NameTable;
}
