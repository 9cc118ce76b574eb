import type { Host } from './host.ts';
import type { Loop } from './loop.ts';
import { type Headers, valueOf } from './pairs.ts';
import { type Flag, Place, Waiting } from './place.ts';
import { Stream, type StreamOptions } from './stream.ts';

/** A filter of a listener: the module in a VM, under a root id. */
export interface Filter {
  readonly host: Host;
  readonly rootId: string;
  readonly flag: Flag;
}

/** One of another kind, that waits for something. */
export const OTHER = 'waits' as const;

/**
 * Whether a request to the endpoint comes to its route without the header that routes go by: nobody has decided on it.
 * The shipped routes let none through.
 */
export function isUndecided(headers: Headers, endpoint = '/mcp'): boolean {
  const [path = ''] = (valueOf(headers, ':path') ?? '').split('?');
  const ours = path === endpoint || path.startsWith(`${endpoint}/`);
  return ours && valueOf(headers, 'x-mcp-servername') === undefined;
}

/** A route for where no filter is misconfigured: nothing undecided comes to it. */
export function refuseUndecided(headers: Headers): undefined {
  if (isUndecided(headers)) throw new Error('a request goes on that nobody decided on');
}

/** A request to a listener that has these filters, in this order, before its router. */
export function openStream(
  filters: readonly (Filter | typeof OTHER)[],
  loop: Loop,
  options: Partial<StreamOptions>,
): Stream {
  const stream = new Stream(loop, options);
  for (const filter of filters) {
    if (filter === OTHER) stream.links.push(new Waiting());
    else {
      const { host, rootId, flag } = filter;
      stream.links.push(host.join((id) => new Place(id, host, host.rootOf(rootId), flag, stream)));
    }
  }
  return stream;
}
