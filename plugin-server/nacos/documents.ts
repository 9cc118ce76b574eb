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

/** Milliseconds after which a document is asked for again that was answered with an error: twice as long each time. */
const retry = { first: 1_000, longest: 60_000 };

/** An error in the place of a document. */
interface Refusal {
  /** The digest that was listed when it was asked for. */
  readonly md5: string | undefined;
  readonly message: string;
  readonly pause: number;
  /** Milliseconds since 1970. */
  readonly again: number;
}

/** The documents of a namespace, as far as they were read: only those that the listing shows as changed are read again. */
export class Documents {
  readonly #held: Record<Group, Map<string, Held>> = {
    [groups.index]: new Map(),
    [groups.server]: new Map(),
    [groups.tools]: new Map(),
    [groups.prompts]: new Map(),
  };
  readonly #refused: Record<Group, Map<string, Refusal>> = {
    [groups.index]: new Map(),
    [groups.server]: new Map(),
    [groups.tools]: new Map(),
    [groups.prompts]: new Map(),
  };

  /**
   * Reads what `listing` has and this has not. A document that changes meanwhile is left for the next listing; so is one
   * that Nacos already lists as changed, and still gives out as it was. One that is answered with an error is asked for again
   * later, and keeps no other from being read.
   * @param wanted dataIds of one group; of the others nobody asks
   * @returns whether all of them are now as they are listed, but for those that were answered with an error
   * @throws Error where no address answers
   */
  async read(
    client: NacosClient,
    namespace: string,
    { listing, group, wanted }: { listing: Listing; group: Group; wanted: Iterable<string> },
    stop: AbortSignal,
  ): Promise<boolean> {
    const held = this.#held[group];
    const listed = listing[group];
    const refused = this.#refused[group];
    const now = Date.now();
    const isPutOff = (dataId: string): boolean => {
      const refusal = refused.get(dataId);
      return refusal !== undefined && refusal.md5 === listed.get(dataId) && now < refusal.again;
    };
    const changed = [...wanted].filter(
      (dataId) => listed.has(dataId) && held.get(dataId)?.md5 !== listed.get(dataId) && !isPutOff(dataId),
    );
    await forEach(changed, atOnce, async (dataId) => {
      const query = { dataId, groupName: group, namespaceId: namespace };
      const answer = await client.get('/v3/client/cs/config', query, stop).catch(orMissing);
      if (answer instanceof NacosError) {
        refused.set(dataId, refusalOf(answer, listed.get(dataId), refused.get(dataId)));
        return;
      }
      refused.delete(dataId);
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
    for (const kept of [held, refused]) {
      for (const dataId of kept.keys()) if (!listed.has(dataId)) kept.delete(dataId);
    }
    return changed.every((dataId) => refused.has(dataId) || this.#current(listing, group, dataId) !== undefined);
  }

  /** A document in the version that is listed; `undefined` where that was not read, is too large, or none is listed. */
  text(listing: Listing, group: Group, dataId: string): string | undefined {
    return this.#current(listing, group, dataId)?.text;
  }

  /** Why there is no text of a document. */
  absence(listing: Listing, group: Group, dataId: string): string {
    const isRead = this.#current(listing, group, dataId) !== undefined;
    if (isRead) return `${dataId} is larger than ${documentLimit} bytes`;
    const refusal = this.#refused[group].get(dataId);
    return refusal === undefined ? `${dataId} is not there yet` : `${dataId} cannot be read: ${refusal.message}`;
  }

  /** Whether a document was answered with an error. */
  isRefused(group: Group, dataId: string): boolean {
    return this.#refused[group].has(dataId);
  }

  #current(listing: Listing, group: Group, dataId: string): Held | undefined {
    const held = this.#held[group].get(dataId);
    return held?.md5 === listing[group].get(dataId) ? held : undefined;
  }
}

/** @param before the one at the last time, if there was one */
function refusalOf({ message }: NacosError, md5: string | undefined, before: Refusal | undefined): Refusal {
  const isSame = before !== undefined && before.md5 === md5;
  const pause = isSame ? Math.min(before.pause * 2, retry.longest) : retry.first;
  return { md5, message, pause, again: Date.now() + pause };
}

function orMissing(error: unknown): TooLarge | NacosError | undefined {
  // Deleted since it was listed: the next listing says so.
  if (error instanceof NacosError && error.code === notFoundCode) return undefined;
  if (error instanceof TooLarge || error instanceof NacosError) return error;
  throw error;
}
