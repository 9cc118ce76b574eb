import { HeaderList } from '../bytes/pairs';
import { Span } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { SessionDraft } from '../session/token';

/** What a request is answered with, by us. */
@unmanaged
export class Reply {
  status: u32;
  headers: HeaderList;
  body: Span;
  /** A session to be sealed into the reply, or null. */
  draft: SessionDraft | null;
  /** The row of the error table that it is, or `Reason.None`; and what `writeError` takes beside it. */
  reason: Reason;
  detail: Span;
  server: Span;
  more: Span;
  /** Whether `body` has the id of the request. */
  hasId: bool;
}
