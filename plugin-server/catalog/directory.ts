import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../../envoy/check/problem.ts';
import { PluginServerError } from '../errors.ts';
import { wait } from '../http/client.ts';
import { readRegularFile, reasonOf } from '../store/files.ts';
import { stampOf } from '../watch/stamp.ts';
import type { Catalog, CatalogServer, CatalogVirtualServer } from './catalog.ts';
import type { CatalogSource, Catalogs } from './catalogs.ts';
import { aNamespace, isNamespace, readCatalog } from './check.ts';

export interface CatalogDirectoryOptions {
  /** `<catalogs>/<namespace>/*.yaml`, `*.yml` or `*.json` */
  readonly directory: string;
  readonly catalogs: Catalogs;
  /** Milliseconds between two looks; by default 500. */
  readonly interval?: number;
}

/** Milliseconds that a file has to be as it is: one that is being written is not read. */
const settleTime = 150;
/** Bytes of a file. */
const fileLimit = 2 << 20;
/** Files of a namespace. */
const mostFiles = 2_000;

const filePattern = /^[^.].*\.(?:ya?ml|json)$/;

/** A file as it was read last. */
interface Watched {
  seen: string;
  read?: string;
  /** What it said when it was right the last time. */
  catalog?: Catalog;
  problems: readonly Problem[];
}

/** The catalogs of a directory, watched: each folder is a namespace, and all its files together are the catalog. */
export class CatalogDirectory implements CatalogSource {
  readonly name: string;
  readonly #options: CatalogDirectoryOptions;
  readonly #namespaces = new Map<string, Map<string, Watched>>();
  /** Namespaces of which what was read has not been taken yet. */
  readonly #untaken = new Set<string>();
  readonly #stop = new AbortController();
  #complaints: readonly string[] = [];
  #running: Promise<void> | undefined;

  constructor(options: CatalogDirectoryOptions) {
    this.name = `the directory ${options.directory}`;
    this.#options = options;
    options.catalogs.addSource(this);
  }

  /** Reads everything once, and watches it from then on. @throws PluginServerError `catalogs_unreadable` */
  async start(): Promise<void> {
    const { directory } = this.#options;
    await readdir(directory).catch((error: unknown) => {
      throw new PluginServerError('catalogs_unreadable', directory, reasonOf(error));
    });
    await this.#look(true);
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  owns(namespace: string): boolean {
    return this.#namespaces.has(namespace);
  }

  problems(): readonly string[] {
    return this.#complaints;
  }

  state(): object {
    return { source: 'files', namespaces: [...this.#namespaces.keys()].sort() };
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    const isOver = (): boolean => signal.aborted;
    while (!isOver()) {
      const isSettled = await this.#look(false).catch((error: unknown) => {
        this.#complaints = [`${this.name}: ${reasonOf(error)}`];
        return true;
      });
      await wait(isSettled ? (this.#options.interval ?? 500) : settleTime, signal);
    }
  }

  /** @returns false where something has just changed, and is looked at again before it is read */
  async #look(atOnce: boolean): Promise<boolean> {
    const { directory } = this.#options;
    const complaints: string[] = [];
    let isSettled = true;
    const folders = await foldersIn(directory);
    for (const name of this.#namespaces.keys()) {
      if (!folders.includes(name)) complaints.push(`catalog ${name}: its folder is gone; what was in it is given out`);
    }
    for (const name of folders) {
      if (!isNamespace(name)) {
        complaints.push(`${this.name}: ${JSON.stringify(name)} is no name of a catalog: ${aNamespace}`);
        continue;
      }
      const owner = this.#options.catalogs.sourceOf(name);
      if (owner !== undefined && owner !== this) {
        complaints.push(`${this.name}: the folder ${name} is not read: that catalog comes from ${owner.name}`);
        continue;
      }
      try {
        isSettled = (await this.#lookAtNamespace(name, atOnce)) && isSettled;
      } catch (error) {
        complaints.push(`catalog ${name}: ${reasonOf(error)}; what was read before is given out`);
      }
    }
    this.#complaints = complaints;
    return isSettled;
  }

  /** @returns false where something in it has just changed. @throws Error where it cannot be read, or not be kept: it is tried again */
  async #lookAtNamespace(name: string, atOnce: boolean): Promise<boolean> {
    const folder = join(this.#options.directory, name);
    const files = this.#namespaces.get(name) ?? new Map<string, Watched>();
    if (!this.#namespaces.has(name)) this.#untaken.add(name);
    this.#namespaces.set(name, files);
    const { changed, settled } = await lookAt(folder, files, atOnce);
    if (changed) this.#untaken.add(name);
    if (!settled || !this.#untaken.has(name)) return settled;
    await readAll(name, folder, files);
    const namespace = this.#options.catalogs.of(name);
    await namespace.take({ ...together(files, namespace.given?.catalog), cause: 'files' });
    this.#untaken.delete(name);
    return true;
  }
}

/** Reads what is new; all of them again where a prefix is another one, as virtual servers of other files may have it. */
async function readAll(namespace: string, folder: string, files: Map<string, Watched>): Promise<void> {
  const texts = new Map<string, Uint8Array>();
  for (const [name, file] of files) {
    try {
      texts.set(name, await readRegularFile(join(folder, name), fileLimit));
    } catch (error) {
      file.problems = [{ path: name, message: (error as Error).message, severity: 'error' }];
    }
  }
  // First without the patterns of virtual servers, whose prefixes may be those of any file.
  const anyPrefix = [''];
  const prefixes = [...texts].flatMap(([name, bytes]) =>
    (readCatalog(namespace, name, bytes, anyPrefix).catalog?.servers ?? []).map(({ prefix }) => prefix),
  );
  for (const [name, bytes] of texts) {
    const file = files.get(name);
    if (file === undefined) continue;
    const { catalog, problems } = readCatalog(namespace, name, bytes, prefixes);
    if (catalog !== undefined) file.catalog = catalog;
    file.problems = problems.map(({ line, column, path, message, severity }) => ({
      path: [`${name}:${line}:${column}`, path].filter((part) => part !== '').join(' '),
      message,
      severity,
    }));
  }
}

/**
 * What all files say together. Of a name that two files have, the first one in order has it. A file that is wrong says what
 * it said before; after a restart nobody knows what that was, so nothing that was given out is taken away.
 */
function together(
  files: ReadonlyMap<string, Watched>,
  given: Catalog | undefined,
): { catalog: Catalog; problems: Problem[] } {
  const servers = new Map<string, CatalogServer>();
  const virtualServers = new Map<string, CatalogVirtualServer>();
  const problems: Problem[] = [];
  const add = <T extends { readonly name: string }>(all: Map<string, T>, items: readonly T[], file: string): void => {
    for (const item of items) {
      if (!all.has(item.name)) all.set(item.name, item);
      else problems.push({ path: file, message: `${item.name} is in another file too`, severity: 'error' });
    }
  };
  for (const [name, { catalog, problems: own }] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    problems.push(...own);
    add(servers, catalog?.servers ?? [], name);
    add(virtualServers, catalog?.virtualServers ?? [], name);
  }
  if ([...files.values()].some(({ catalog }) => catalog === undefined)) {
    for (const server of given?.servers ?? []) if (!servers.has(server.name)) servers.set(server.name, server);
    for (const each of given?.virtualServers ?? [])
      if (!virtualServers.has(each.name)) virtualServers.set(each.name, each);
  }
  return { catalog: { servers: [...servers.values()], virtualServers: [...virtualServers.values()] }, problems };
}

async function lookAt(
  folder: string,
  files: Map<string, Watched>,
  atOnce: boolean,
): Promise<{ changed: boolean; settled: boolean }> {
  const names = (await readdir(folder)).filter((name) => filePattern.test(name)).sort();
  if (names.length > mostFiles) throw new Error(`${folder} has more than ${mostFiles} files`);
  let [changed, settled] = [false, true];
  for (const name of files.keys()) {
    if (names.includes(name)) continue;
    files.delete(name);
    changed = true;
  }
  for (const name of names) {
    const seen = await stampOf(join(folder, name));
    const file = files.get(name) ?? { seen: '', problems: [] };
    files.set(name, file);
    if (seen !== file.seen && !atOnce) settled = false;
    file.seen = seen;
    if (seen === file.read) continue;
    changed = true;
    if (settled) file.read = seen;
  }
  return { changed, settled };
}

async function foldersIn(directory: string): Promise<string[]> {
  const folders: string[] = [];
  for (const name of (await readdir(directory)).sort()) {
    if (name.startsWith('.') || name === 'lost+found') continue; // a ConfigMap mount has ..data
    const found = await stat(join(directory, name)).catch(() => undefined);
    if (found?.isDirectory() === true) folders.push(name);
  }
  return folders;
}
