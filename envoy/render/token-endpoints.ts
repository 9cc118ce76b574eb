import * as z from 'zod';
import type { KeySource } from './token-filter.ts';

const exchanged = z.object({
  credentials: z.object({ type: z.literal('exchange'), tokenEndpoint: z.url(), cluster: z.string().min(1) }),
});

/** The token endpoints of servers that are sent exchanged tokens, and the clusters that they are reached by. */
export function tokenEndpoints(servers: readonly unknown[]): KeySource[] {
  return servers.flatMap((server) => {
    const found = exchanged.safeParse(server).data?.credentials;
    return found === undefined ? [] : [{ cluster: found.cluster, url: found.tokenEndpoint }];
  });
}
