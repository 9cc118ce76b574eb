import { Arena } from '../bytes/arena';
import { HeaderList, newHeaderList, readPairs } from '../bytes/pairs';
import { Span, NONE } from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { NameSet, newNameSet } from '../model/name-set';

/**
 * Which headers of a server's response reach the client. To a browser the gateway is one origin with many servers behind
 * it: a cookie, a policy or another address that one of them sets would hold for all.
 */
const REACH_CLIENT = names(
  // The message: what it is, and how it is framed (Envoy ends what is hop by hop).
  ':* content-type content-length content-encoding content-language transfer-encoding connection ' +
    // Whether it may be kept, by whom, and when to ask again.
    'date cache-control vary retry-after ' +
    // For proxies on the way: whether it streams, and which request it answers.
    'x-accel-buffering x-request-id ' +
    // MCP's and the gateway's; those that end here (session id, endpoint, access-control) have rules of their own.
    'mcp-* x-mcp-* x-sluice-endpoint access-control-* ' +
    // Envoy's, and what Istio's own filter reads and removes.
    'x-envoy-*',
);

/** What reaches clients whatever the configuration says; it may add to that. */
export function newResponseHeaders(arena: Arena): NameSet {
  const set = newNameSet(arena);
  const all = namesIn(REACH_CLIENT, arena);
  for (let i = 0; i < all.count; i++) set.add(all.at(i));
  return set;
}

/** Edits that take out what does not reach the client. @param response headers of a server, in the ABI's form */
export function removalsFrom(response: Span, reaching: NameSet, arena: Arena): HeaderList {
  const edits = newHeaderList(arena);
  for (const pairs = readPairs(response, arena); pairs.next();) {
    if (!reaching.has(pairs.name) && !edits.names(pairs.name)) edits.add(pairs.name, NONE);
  }
  return edits;
}
