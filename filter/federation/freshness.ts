import { Lists } from '../model/dialects';
import { Arena, make } from '../bytes/arena';
import { Scope } from '../policy/scope';
import { Page } from '../upstream/page';
import { FanOut } from './fanout';

/**
 * Milliseconds that a client may keep a list without hearing that it has changed. A server may give it a long lifetime, and
 * tell of changes in the stream of `subscriptions/listen`; where a client can have no such stream, it has to ask again.
 */
const MOST_UNHEARD: u32 = 60_000;

/** For how long, and for whom, a list of several servers may be kept (MCP 2026-07-28, caching). */
@unmanaged
export class Freshness {
  /** Milliseconds. */
  ttl: u32;
  isPublic: bool;
}

/**
 * No longer than the shortest-lived of its parts, and for no more callers than each of them. What lacks the part of a
 * server is not kept at all, or clients would keep the hole; and what a rule on the caller has filtered is the caller's.
 * @param isHeard the client can have itself told of changes
 */
export function freshnessOf(fanOut: FanOut, scope: Scope, isHeard: bool, arena: Arena): Freshness {
  const freshness = make<Freshness>(arena);
  freshness.isPublic = scope.isForAll && scope.header === null;
  freshness.ttl = u32.MAX_VALUE;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.failed) freshness.ttl = 0;
    if (call.server.dialect.lists === Lists.Configured) continue;
    if (call.pages.count === 0) freshness.ttl = 0;
    if (call.left > 0) freshness.ttl = min(freshness.ttl, call.left);
    for (let p = 0; p < call.pages.count; p++) {
      const page = changetype<Page>(call.pages.at(p) as usize);
      freshness.ttl = min(freshness.ttl, page.ttl);
      freshness.isPublic = freshness.isPublic && page.isPublic;
    }
  }
  if (freshness.ttl === u32.MAX_VALUE) freshness.ttl = 0;
  if (!isHeard) freshness.ttl = min(freshness.ttl, MOST_UNHEARD);
  return freshness;
}
