import type { Problem } from '../../envoy/check/problem.ts';
import { asksNobody } from '../../envoy/render/servers.ts';
import type { Catalog, CatalogServer } from '../catalog/catalog.ts';
import type { NacosClient } from './client.ts';
import { Documents } from './documents.ts';
import { type Listing, documentCount, groups, readListing } from './listing.ts';
import {
  type Described,
  type IndexEntry,
  NotServed,
  type SecretReplacement,
  type ServiceRef,
  describeServer,
  indexSuffix,
  promptsSuffix,
  readIndex,
  readPrompts,
  serverDocument,
  serverName,
  toolsDocument,
} from './server.ts';
import { Services } from './services.ts';

/** What a look at a namespace came to. */
export interface Look {
  readonly catalog: Catalog;
  readonly problems: readonly Problem[];
}

/** One namespace of Nacos, mirrored: what a catalog is made of, and what is known to have been right before. */
export class NacosNamespace {
  readonly #name: string;
  readonly #id: string;
  readonly #client: NacosClient;
  readonly #replaceSecrets: SecretReplacement | undefined;
  readonly #documents = new Documents();
  /** By id: an index that cannot be read is still that of the server. */
  readonly #names = new Map<string, string>();
  readonly #services: Services;
  #last: Catalog | undefined;
  #listed: Listing | undefined;
  #isBehind = false;
  #wasEmpty = false;

  /**
   * @param name here; virtual servers have it
   * @param id of Nacos' namespace
   * @param replaceSecrets without it, servers whose definitions have a secret are wrong
   */
  constructor(name: string, id: string, client: NacosClient, replaceSecrets?: SecretReplacement) {
    this.#name = name;
    this.#id = id;
    this.#client = client;
    this.#services = new Services(client);
    this.#replaceSecrets = replaceSecrets;
  }

  /** The documents that were listed last. */
  get listed(): Listing | undefined {
    return this.#listed;
  }

  /** Whether something that is listed was not given out yet as it should be: the next look should be soon, nothing tells of it. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Looks once. What is not complete, or not right, is no reason to take anything away: it stays as it was.
   * @param given what is given out, where this has not looked before
   * @throws NacosError, Error where the namespace cannot be read, or has nothing that can be believed
   */
  async look(given: Catalog | undefined, stop: AbortSignal): Promise<Look> {
    this.#last ??= given;
    const listing = await readListing(this.#client, this.#id, this.#listed, stop);
    this.#listed = listing;
    this.#isBehind = false;
    await this.#checkEmptiness(listing, stop);
    const problems: Problem[] = [];
    const { entries, isComplete } = await this.#entries(listing, problems, stop);
    const described = await this.#describe(listing, entries, problems, stop);
    await this.#services.lookUp([...described.values()], this.#last?.servers ?? [], problems, stop);
    const prompts = await this.#prompts(listing, problems, stop);
    const catalog = this.#catalogOf({ entries, described, prompts, isComplete }, problems);
    this.#last = catalog;
    return { catalog, problems };
  }

  /** Nacos lists a namespace that is not there, or whose database was lost, as an empty one. */
  async #checkEmptiness(listing: Listing, stop: AbortSignal): Promise<void> {
    if (listing[groups.index].size + listing[groups.prompts].size > 0) {
      this.#wasEmpty = false;
      return;
    }
    const count = await documentCount(this.#client, this.#id, stop);
    if (count === undefined) throw new Error(`Nacos has no namespace ${this.#id}: what was there is kept`);
    if ((this.#last?.servers.length ?? 0) === 0) return;
    if (count === 0) {
      const advice = 'if that is meant, put any configuration into the namespace';
      throw new Error(`it has no document at all, as after the loss of a database: what was there is kept; ${advice}`);
    }
    if (!this.#wasEmpty) {
      this.#wasEmpty = true;
      throw new Error('it lists no server any more: that is believed when it is seen again');
    }
  }

  /** The servers that are listed, by name here. `isComplete`: no index is unread, so what is not among them is gone. */
  async #entries(
    listing: Listing,
    problems: Problem[],
    stop: AbortSignal,
  ): Promise<{ entries: Map<string, IndexEntry>; isComplete: boolean }> {
    const dataIds = [...listing[groups.index].keys()].filter((dataId) => dataId.endsWith(indexSuffix)).sort();
    await this.#read(listing, groups.index, dataIds, stop);
    const found: IndexEntry[] = [];
    const unread: string[] = [];
    for (const dataId of dataIds) {
      const text = this.#documents.text(listing, groups.index, dataId);
      const at = `servers[${this.#names.get(dataId) ?? dataId}]`;
      try {
        if (text !== undefined) {
          const entry = readIndex(text);
          this.#names.set(dataId, serverName(entry.name));
          found.push(entry);
          continue;
        }
        problems.push(wrong(at, this.#documents.absence(listing, groups.index, dataId), 'warning'));
      } catch (error) {
        problems.push(wrong(at, `${dataId}: ${(error as Error).message}`));
      }
      unread.push(dataId);
    }
    // What keeps every one from being read is no matter of a server, such as a permission.
    const [first] = unread;
    if (
      found.length === 0 &&
      first !== undefined &&
      unread.every((id) => this.#documents.isRefused(groups.index, id))
    ) {
      throw new Error(this.#documents.absence(listing, groups.index, first));
    }
    const entries = new Map<string, IndexEntry>();
    // Of several that would have one name, the one that is called so comes first.
    const isExact = ({ name }: IndexEntry): number => Number(serverName(name) !== name);
    for (const entry of found.sort((a, b) => isExact(a) - isExact(b) || (a.id < b.id ? -1 : 1))) {
      const name = serverName(entry.name);
      const shown = JSON.stringify(entry.name.slice(0, 60));
      if (name === '') problems.push(wrong(`servers[${entry.id}]`, `${shown} has no letter or digit to be called by`));
      else if (entries.has(name)) {
        problems.push(wrong(`servers[${name}]`, `${shown} is left out: another one is called so here`));
      } else entries.set(name, entry);
    }
    for (const dataId of unread) {
      const name = this.#names.get(dataId);
      if (name !== undefined && !entries.has(name)) entries.set(name, { id: unreadId, name, version: 'unread' });
    }
    return { entries, isComplete: unread.every((dataId) => this.#names.has(dataId)) };
  }

  /** What the documents of each published version say, as far as they are there and right. */
  async #describe(
    listing: Listing,
    entries: ReadonlyMap<string, IndexEntry>,
    problems: Problem[],
    stop: AbortSignal,
  ): Promise<Map<string, Described>> {
    const published = [...entries].filter(([, { id, version }]) => version !== undefined && id !== unreadId);
    const servers = published.map(([, entry]) => serverDocument(entry));
    await this.#read(listing, groups.server, servers, stop);
    const texts = new Map(servers.map((dataId) => [dataId, this.#documents.text(listing, groups.server, dataId)]));
    const toolDocuments = [...texts.values()].flatMap((text) => orNothing(() => text && toolsDocument(text)) ?? []);
    await this.#read(listing, groups.tools, toolDocuments, stop);
    const described = new Map<string, Described>();
    for (const [name, entry] of published) {
      const at = `servers[${name}]`;
      const dataId = serverDocument(entry);
      const text = texts.get(dataId);
      if (text === undefined) {
        problems.push(wrong(at, this.#documents.absence(listing, groups.server, dataId), 'warning'));
        continue;
      }
      try {
        const toolsId = toolsDocument(text);
        const tools = toolsId && this.#documents.text(listing, groups.tools, toolsId);
        if (toolsId !== undefined && tools === undefined) {
          problems.push(wrong(at, this.#documents.absence(listing, groups.tools, toolsId), 'warning'));
        } else described.set(name, describeServer(name, text, tools, this.#replaceSecrets));
      } catch (error) {
        if (error instanceof NotServed) {
          this.#leaveOut(entries, name);
          problems.push(wrong(at, `is left out: ${error.message}`, 'warning'));
        } else problems.push(wrong(at, (error as Error).message));
      }
    }
    return described;
  }

  /** It is there, and not to be served: not what was known of it either. */
  #leaveOut(entries: ReadonlyMap<string, IndexEntry>, name: string): void {
    const entry = entries.get(name);
    if (entry !== undefined) (entries as Map<string, IndexEntry>).set(name, { ...entry, version: undefined });
  }

  /** The prompts of each server that has a document of them; as they were where it is not there yet, or wrong. */
  async #prompts(listing: Listing, problems: Problem[], stop: AbortSignal): Promise<Map<string, readonly object[]>> {
    const nameIn = (dataId: string): string => dataId.slice(0, -promptsSuffix.length);
    const isExact = (dataId: string): number => Number(serverName(nameIn(dataId)) !== nameIn(dataId));
    const dataIds = [...listing[groups.prompts].keys()].filter((dataId) => dataId.endsWith(promptsSuffix)).sort();
    await this.#read(listing, groups.prompts, dataIds, stop);
    const found = new Map<string, readonly object[]>();
    for (const dataId of dataIds.sort((a, b) => isExact(a) - isExact(b))) {
      const name = serverName(nameIn(dataId));
      const at = `servers[${name}]`;
      if (name === '') {
        problems.push(wrong(`servers[${dataId}]`, 'the dataId has no letter or digit to be called by'));
        continue;
      }
      if (found.has(name)) {
        problems.push(wrong(at, `${dataId} is left out: another document is for that name`));
        continue;
      }
      const before = this.#last?.servers.find((server) => server.name === name);
      found.set(name, promptsOf(before));
      const text = this.#documents.text(listing, groups.prompts, dataId);
      if (text === undefined) {
        problems.push(wrong(at, this.#documents.absence(listing, groups.prompts, dataId), 'warning'));
      } else {
        try {
          found.set(name, readPrompts(text));
        } catch (error) {
          problems.push(wrong(at, `${dataId}: ${(error as Error).message}`));
        }
      }
    }
    return found;
  }

  #catalogOf({ entries, described, prompts, isComplete }: Found, problems: Problem[]): Catalog {
    const servers: CatalogServer[] = [];
    const before = new Map((this.#last?.servers ?? []).map((server) => [server.name, server]));
    for (const [name, each] of described) {
      const service = each.server.service ?? '';
      if (this.#services.isAwaited(service, Date.now())) {
        this.#isBehind = true;
        const running = before.get(name);
        if (running !== undefined && running.service !== service && (running.endpoints?.length ?? 0) > 0) {
          problems.push(wrong(`servers[${name}]`, noInstanceYet(each.service), 'warning'));
          servers.push(running);
          continue;
        }
      }
      const { endpoints, stickyCookie } = this.#services.instances(service);
      const own = prompts.get(name);
      const isRest = each.server['rest'] !== undefined;
      if (own !== undefined && !isRest) {
        problems.push(
          wrong(`servers[${name}]`, `${name}${promptsSuffix} is left out: an MCP server has its own prompts`),
        );
      }
      const server = own === undefined || !isRest ? each.server : withPrompts(each.server, own);
      // What keeps no session has nothing that would have to be found again.
      const isSticky = stickyCookie !== undefined && !isRest;
      servers.push({ ...server, endpoints, ...(isSticky && { stickyCookie }) });
      if (!entries.has(name)) throw new Error('what is described is listed');
    }
    // A name that is no server's is that of its prompts alone.
    const kept = isComplete ? [] : (this.#last?.servers ?? []).filter((server) => !asksNobody(server));
    for (const [name, own] of prompts) {
      if (entries.has(name) || own.length === 0 || kept.some((server) => server.name === name)) continue;
      servers.push({ name, prefix: `${name}_`, rest: { prompts: own } });
    }
    for (const server of this.#last?.servers ?? []) {
      if (described.has(server.name) || (asksNobody(server) && !entries.has(server.name))) continue;
      const entry = entries.get(server.name);
      const stays = entry === undefined ? !isComplete : entry.version !== undefined;
      if (stays) servers.push(server);
    }
    return { servers, virtualServers: this.#virtualServers(servers) };
  }

  /** Each server at a URI of its own, as Higress has them, and all of the namespace at another one. */
  #virtualServers(servers: readonly CatalogServer[]): Catalog['virtualServers'] {
    const each = servers.map(({ name, prefix }) => ({
      name: `${this.#name}/${name}`,
      tools: [`${prefix}*`],
      prompts: [`${prefix}*`],
    }));
    const all = `${this.#name}/all`;
    if (servers.length === 0 || each.some(({ name }) => name === all)) return each;
    return [...each, { name: all, tools: ['*'], prompts: ['*'] }];
  }

  async #read(listing: Listing, group: keyof Listing, wanted: readonly string[], stop: AbortSignal): Promise<void> {
    const isCurrent = await this.#documents.read(this.#client, this.#id, { listing, group, wanted }, stop);
    if (!isCurrent) this.#isBehind = true;
  }
}

/** What a look has found. */
interface Found {
  readonly entries: ReadonlyMap<string, IndexEntry>;
  readonly described: ReadonlyMap<string, Described>;
  /** By the name of the server here. */
  readonly prompts: ReadonlyMap<string, readonly object[]>;
  readonly isComplete: boolean;
}

function noInstanceYet({ groupName, serviceName }: ServiceRef): string {
  const advice = 'register one, or wait: what the server is now is given out after half a minute in any case';
  return `stays as it was: its service ${groupName}/${serviceName} lists no instance yet; ${advice}`;
}

function promptsOf(server: CatalogServer | undefined): readonly object[] {
  const rest = server?.['rest'] as { readonly prompts?: readonly object[] } | undefined;
  return rest?.prompts ?? [];
}

function withPrompts(server: CatalogServer, prompts: readonly object[]): CatalogServer {
  return prompts.length === 0 ? server : { ...server, rest: { ...(server['rest'] as object), prompts } };
}

/** Stands for the id of an index that cannot be read. */
const unreadId = '';

function wrong(path: string, message: string, severity: Problem['severity'] = 'error'): Problem {
  return { path, message, severity };
}

function orNothing<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}
