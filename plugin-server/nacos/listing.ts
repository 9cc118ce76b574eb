import * as z from 'zod';
import type { NacosClient } from './client.ts';

/**
 * Where Nacos keeps an MCP server: an index, a description for each version, and the tools of each version. It has no
 * prompts: their group is a convention of ours.
 */
export const groups = {
  index: 'mcp-server-versions',
  server: 'mcp-server',
  tools: 'mcp-tools',
  prompts: 'mcp-prompts',
} as const;

export type Group = (typeof groups)[keyof typeof groups];

/** MD5 by dataId, for each group: what tells a change of any document. */
export type Listing = Readonly<Record<Group, ReadonlyMap<string, string>>>;

/** Rows of a page; Nacos takes up to 1000. */
const pageSize = 500;
/** Documents of all groups: nobody has more servers than a tenth of that. */
const mostRows = 50_000;

const pageSchema = z.object({
  totalCount: z.int().nonnegative(),
  pageItems: z.array(z.object({ groupName: z.string(), dataId: z.string(), md5: z.string() })).nullable(),
});

const namespacesSchema = z.array(z.object({ namespace: z.string(), configCount: z.int().nonnegative() }));

/** What the name of each group fits, and next to nothing else: one list of all costs Nacos half of what one for each does. */
const ourGroups = 'mcp-*';

/**
 * The documents of all groups. An answer that is not complete is none: what is missing in it may be there.
 * @param last what was listed before: what is there no more has to be missing twice where the list has several pages. Between
 *   two of them a document may go and another one come, and a third would move from the second page to the first.
 * @throws NacosError, Error
 */
export async function readListing(
  client: NacosClient,
  namespace: string,
  last: Listing | undefined,
  stop: AbortSignal,
): Promise<Listing> {
  const { listing, pages } = await readPages(client, namespace, stop);
  if (pages === 1 || last === undefined || hasAll(listing, last)) return listing;
  const { listing: again } = await readPages(client, namespace, stop);
  for (const group of Object.values(groups)) {
    for (const [dataId, md5] of listing[group]) if (!again[group].has(dataId)) again[group].set(dataId, md5);
  }
  return again;
}

function hasAll(listing: Listing, last: Listing): boolean {
  return Object.values(groups).every((group) => [...last[group].keys()].every((dataId) => listing[group].has(dataId)));
}

async function readPages(
  client: NacosClient,
  namespace: string,
  stop: AbortSignal,
): Promise<{ listing: Record<Group, Map<string, string>>; pages: number }> {
  const listing: Record<Group, Map<string, string>> = {
    [groups.index]: new Map(),
    [groups.server]: new Map(),
    [groups.tools]: new Map(),
    [groups.prompts]: new Map(),
  };
  const seen = new Set<string>();
  for (let pageNo = 1; ; pageNo++) {
    const query = { search: 'blur', dataId: '*', groupName: ourGroups, namespaceId: namespace };
    const answer = await client.get(
      '/v3/admin/cs/config/list',
      { ...query, pageNo: String(pageNo), pageSize: String(pageSize) },
      stop,
    );
    const page = pageSchema.safeParse(answer);
    if (!page.success) throw new Error('the list of documents has a form that is not known');
    const { totalCount, pageItems } = page.data;
    if (totalCount > mostRows) throw new Error(`it has ${totalCount} documents of MCP servers, more than ${mostRows}`);
    for (const { groupName, dataId, md5 } of pageItems ?? []) {
      seen.add(`${groupName} ${dataId}`);
      if (isGroup(groupName)) listing[groupName].set(dataId, md5);
    }
    if (seen.size === totalCount) return { listing, pages: pageNo };
    if ((pageItems ?? []).length === 0 || seen.size > totalCount || pageNo * pageSize >= totalCount) {
      throw new Error(`the list of documents is not complete: ${seen.size} of ${totalCount}`);
    }
  }
}

function isGroup(name: string): name is Group {
  return Object.values<string>(groups).includes(name);
}

/**
 * Whether a namespace is there, and how many documents of any kind it has: Nacos lists one that is not there as an empty
 * one, and so it does after its database was lost.
 */
export async function documentCount(
  client: NacosClient,
  namespace: string,
  stop: AbortSignal,
): Promise<number | undefined> {
  const read = namespacesSchema.safeParse(await client.get('/v3/admin/core/namespace/list', {}, stop));
  if (!read.success) throw new Error('the list of namespaces has a form that is not known');
  // The first namespace is called `public`, and in older releases nothing.
  const names = namespace === 'public' ? ['public', ''] : [namespace];
  return read.data.find((each) => names.includes(each.namespace))?.configCount;
}
