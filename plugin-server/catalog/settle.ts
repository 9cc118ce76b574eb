import type { Problem } from '../../envoy/check/problem.ts';
import { type Catalog, type CatalogServer, emptyCatalog, inOrder } from './catalog.ts';

/** Says what is wrong with a catalog, at paths like `servers[2].prefix`. */
export type Judge = (catalog: Catalog) => Promise<readonly Problem[]>;

export interface Settled {
  readonly catalog: Catalog;
  /** What is wrong with what is wanted: an error is the reason why something of it is not in the result. */
  readonly problems: readonly Problem[];
}

/** Judgements of one catalog: what is left after these is wrong in a way that leaving out does not mend. */
const mostRounds = 4;

/**
 * As much of a catalog as is right: what is wrong with one server is no reason to keep the edits of the others from
 * anybody. A server that is wrong stays as it was, or is left out where it was not there.
 * @param previous what is given out now
 */
export async function settle(wanted: Catalog, previous: Catalog | undefined, judge: Judge): Promise<Settled> {
  const fallback = new Map((previous?.servers ?? []).map((server) => [server.name, server]));
  let catalog = inOrder(wanted);
  const problems: Problem[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const found = await judge(catalog);
    const errors = found.filter(({ severity }) => severity === 'error');
    problems.push(...(round === 0 ? found : errors).map((problem) => named(problem, catalog)));
    if (errors.length === 0) return { catalog, problems: unique(problems) };
    const wrong = errors.map(({ path }) => placeOf(path));
    if (wrong.some((place) => place === undefined)) break;
    const indexes = (list: string): Set<number> =>
      new Set(wrong.flatMap((place) => (place?.list === list ? [place.index] : [])));
    const [servers, virtualServers] = [indexes('servers'), indexes('virtualServers')];
    catalog = {
      servers: catalog.servers.flatMap((server, index) => {
        if (!servers.has(index)) return [server];
        const earlier = fallback.get(server.name);
        fallback.delete(server.name); // it is tried once
        return earlier === undefined || isSame(earlier, server) ? [] : [earlier];
      }),
      virtualServers: catalog.virtualServers.filter((_, index) => !virtualServers.has(index)),
    };
  }
  for (const earlier of previous === undefined ? [] : [previous]) {
    const isRight = (await judge(earlier)).every(({ severity }) => severity !== 'error');
    if (isRight) return { catalog: earlier, problems: unique(problems) };
  }
  await judge(emptyCatalog); // for what a judge keeps of its last judgement
  return { catalog: emptyCatalog, problems: unique(problems) };
}

function isSame(a: CatalogServer, b: CatalogServer): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function placeOf(path: string): { list: string; index: number } | undefined {
  const [, list, digits] = /^(servers|virtualServers)\[(\d+)\]/.exec(path) ?? [];
  return list === undefined ? undefined : { list, index: Number(digits) };
}

/** The same problem at a path with names in place of numbers, which the order of a catalog says nothing about. */
export function named(problem: Problem, { servers, virtualServers }: Catalog): Problem {
  const place = placeOf(problem.path);
  if (place === undefined) return problem;
  const item = (place.list === 'servers' ? servers : virtualServers)[place.index];
  const path = problem.path
    .replace(/\[\d+\]/, `[${item?.name ?? place.index}]`)
    .replace(/\.rest\.tools\[(\d+)\]/, (whole, index: string) => {
      const name = toolName(item, Number(index));
      return name === undefined ? whole : `.rest.tools[${name}]`;
    });
  return { path, message: problem.message, severity: problem.severity };
}

function toolName(item: unknown, index: number): string | undefined {
  const rest = (item as { rest?: { tools?: readonly unknown[] } } | undefined)?.rest;
  const tool = Array.isArray(rest?.tools) ? (rest.tools[index] as { name?: unknown } | undefined) : undefined;
  return typeof tool?.name === 'string' ? tool.name.slice(0, 128) : undefined;
}

function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}
