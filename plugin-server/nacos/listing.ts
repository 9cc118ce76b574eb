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
/** Documents of one group: nobody has more servers than a tenth of that. */
const mostRows = 50_000;

const pageSchema = z.object({
  totalCount: z.int().nonnegative(),
  pageItems: z.array(z.object({ dataId: z.string(), md5: z.string() })).nullable(),
});

const namespacesSchema = z.array(z.object({ namespace: z.string(), configCount: z.int().nonnegative() }));

/**
 * The documents of all groups. An answer that is not complete is none: what is missing in it may be there.
 * @throws NacosError, Error
 */
export async function readListing(client: NacosClient, namespace: string, stop: AbortSignal): Promise<Listing> {
  const [index, server, tools, prompts] = await Promise.all(
    Object.values(groups).map((group) => readGroup(client, namespace, group, stop)),
  );
  const nothing = new Map<string, string>();
  return {
    [groups.index]: index ?? nothing,
    [groups.server]: server ?? nothing,
    [groups.tools]: tools ?? nothing,
    [groups.prompts]: prompts ?? nothing,
  };
}

async function readGroup(
  client: NacosClient,
  namespace: string,
  group: Group,
  stop: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const rows = new Map<string, string>();
  for (let pageNo = 1; ; pageNo++) {
    const query = { search: 'blur', dataId: '*', groupName: group, namespaceId: namespace };
    const answer = await client.get(
      '/v3/admin/cs/config/list',
      { ...query, pageNo: String(pageNo), pageSize: String(pageSize) },
      stop,
    );
    const page = pageSchema.safeParse(answer);
    if (!page.success) throw new Error(`the list of ${group} has a form that is not known`);
    const { totalCount, pageItems } = page.data;
    if (totalCount > mostRows) throw new Error(`${group} has ${totalCount} documents, more than ${mostRows}`);
    for (const { dataId, md5 } of pageItems ?? []) rows.set(dataId, md5);
    if (rows.size === totalCount) return rows;
    if ((pageItems ?? []).length === 0 || rows.size > totalCount || pageNo * pageSize >= totalCount) {
      throw new Error(`the list of ${group} is not complete: ${rows.size} of ${totalCount} documents`);
    }
  }
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
