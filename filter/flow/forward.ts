import { HeaderList } from '../bytes/pairs';
import { Upstream } from '../session/token';

/** How a request goes on to its server. */
@unmanaged
export class Forward {
  upstream: Upstream;
  /** The upstream keeps a session, and was sent its id. */
  inSession: bool;
  /** A value of NONE removes the header. */
  headers: HeaderList;
}
