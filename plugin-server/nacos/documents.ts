import { createHash } from 'node:crypto';
import * as z from 'zod';
import { TooLarge } from '../http/client.ts';
import { forEach } from '../store/each.ts';
import { NacosError, notFoundCode } from './answer.ts';
import type { NacosClient } from './client.ts';
import { type Group, type Listing, groups } from './listing.ts';

/** Documents that are read at a time. */
const atOnce = 8;

/** Bytes of a document, as of a file of a catalog: one that is larger would keep the others from gateways. */
const documentLimit = 2 << 20;

const documentSchema = z.object({ content: z.string() });

/** A document as it was read last, whole. */
interface Held {
  readonly md5: string;
  /** Absent: it is larger than a document may be. */
  readonly text: string | undefined;
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
   * Reads what `listing` has and this has not. A document that changes meanwhile is left for the next listing; so is one
   * that Nacos already lists as changed, and still gives out as it was.
   * @param wanted dataIds of one group; of the others nobody asks
   * @returns whether all of them are now as they are listed
   */
  async read(
    client: NacosClient,
    namespace: string,
    { listing, group, wanted }: { listing: Listing; group: Group; wanted: Iterable<string> },
    stop: AbortSignal,
  ): Promise<boolean> {
    const held = this.#held[group];
    const listed = listing[group];
    const changed = [...wanted].filter((dataId) => listed.has(dataId) && held.get(dataId)?.md5 !== listed.get(dataId));
    await forEach(changed, atOnce, async (dataId) => {
      const query = { dataId, groupName: group, namespaceId: namespace };
      const answer = await client.get('/v3/client/cs/config', query, stop).catch(orMissing);
      if (answer instanceof TooLarge) {
        held.set(dataId, { md5: listed.get(dataId) ?? '', text: undefined });
        return;
      }
      const document = documentSchema.safeParse(answer);
      if (!document.success) return;
      const { content } = document.data;
      const md5 = createHash('md5').update(content).digest('hex');
      if (md5 !== listed.get(dataId)) return;
      held.set(dataId, { md5, text: Buffer.byteLength(content) > documentLimit ? undefined : content });
    });
    for (const dataId of held.keys()) if (!listed.has(dataId)) held.delete(dataId);
    return changed.every((dataId) => this.#current(listing, group, dataId) !== undefined);
  }

  /** A document in the version that is listed; `undefined` where that was not read, is too large, or none is listed. */
  text(listing: Listing, group: Group, dataId: string): string | undefined {
    return this.#current(listing, group, dataId)?.text;
  }

  /** Why there is no text of a document. */
  absence(listing: Listing, group: Group, dataId: string): string {
    const isRead = this.#current(listing, group, dataId) !== undefined;
    return isRead ? `${dataId} is larger than ${documentLimit} bytes` : `${dataId} is not there yet`;
  }

  #current(listing: Listing, group: Group, dataId: string): Held | undefined {
    const held = this.#held[group].get(dataId);
    return held?.md5 === listing[group].get(dataId) ? held : undefined;
  }
}

function orMissing(error: unknown): TooLarge | undefined {
  if (error instanceof TooLarge) return error;
  // Deleted since it was listed: the next listing says so.
  if (error instanceof NacosError && error.code === notFoundCode) return undefined;
  throw error;
}
