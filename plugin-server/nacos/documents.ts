import { createHash } from 'node:crypto';
import * as z from 'zod';
import { forEach } from '../store/each.ts';
import { NacosError, notFoundCode } from './answer.ts';
import type { NacosClient } from './client.ts';
import { type Group, type Listing, groups } from './listing.ts';

/** Documents that are read at a time. */
const atOnce = 8;

const documentSchema = z.object({ content: z.string() });

/** A document as it was read last, whole. */
interface Held {
  readonly md5: string;
  readonly text: string;
}

/** The documents of a namespace, as far as they were read: only those that the listing shows as changed are read again. */
export class Documents {
  readonly #held: Record<Group, Map<string, Held>> = {
    [groups.index]: new Map(),
    [groups.server]: new Map(),
    [groups.tools]: new Map(),
    [groups.prompts]: new Map(),
  };
  /**
   * Reads what `listing` has and this has not. A document that changes meanwhile is left for the next listing.
   * @param wanted dataIds of one group; of the others nobody asks
   */
  async read(
    client: NacosClient,
    namespace: string,
    { listing, group, wanted }: { listing: Listing; group: Group; wanted: Iterable<string> },
    stop: AbortSignal,
  ): Promise<void> {
    const held = this.#held[group];
    const listed = listing[group];
    const changed = [...wanted].filter((dataId) => listed.has(dataId) && held.get(dataId)?.md5 !== listed.get(dataId));
    await forEach(changed, atOnce, async (dataId) => {
      const query = { dataId, groupName: group, namespaceId: namespace };
      const document = documentSchema.safeParse(await client.get('/v3/client/cs/config', query, stop).catch(orMissing));
      if (!document.success) return;
      const { content } = document.data;
      const md5 = createHash('md5').update(content).digest('hex');
      if (md5 === listed.get(dataId)) held.set(dataId, { md5, text: content });
    });
    for (const dataId of held.keys()) if (!listed.has(dataId)) held.delete(dataId);
  }

  /** A document in the version that is listed; `undefined` where that was not read, or none is listed. */
  text(listing: Listing, group: Group, dataId: string): string | undefined {
    const held = this.#held[group].get(dataId);
    return held !== undefined && held.md5 === listing[group].get(dataId) ? held.text : undefined;
  }
}

function orMissing(error: unknown): undefined {
  // Deleted since it was listed: the next listing says so.
  if (error instanceof NacosError && error.code === notFoundCode) return undefined;
  throw error;
}
