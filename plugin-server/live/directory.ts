import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PluginServerError } from '../errors.ts';
import type { Catalogs } from '../catalog/catalogs.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { reasonOf } from '../store/files.ts';
import { stampOf } from '../watch/stamp.ts';
import { DeliveredGateway, type GatewayEvent } from './gateway.ts';
import { gatewayFileName, readGatewayFile } from './gateway-file.ts';
import { History } from '../versions/history.ts';
import { type Kept, KeptModules, keptSchema } from './kept.ts';
import { TokenIndex, readTokens, tokenFileName } from './tokens.ts';

export interface DirectoryOptions {
  /** `<gateways>/<node cluster>/sluice.yaml` */
  readonly directory: string;
  /** Where versions are kept. */
  readonly state: string;
  readonly store: ArtifactStore;
  /** What gateways may name; without, they name none. */
  readonly catalogs?: Catalogs | undefined;
  readonly tell: (gateway: DeliveredGateway, event: GatewayEvent) => void;
  /** Called for what is wrong with the directory itself, once, and with `undefined` when it is over. */
  readonly complain: (message: string | undefined) => void;
  /** Called for a gateway whose directory is gone: nobody has it any more. */
  readonly forget: (name: string) => void;
}

/** Milliseconds between two looks; a look costs two calls of stat for each gateway. */
const lookInterval = 1000;
/** Milliseconds that a file has to be as it is: one that is being written is not read. */
const settleTime = 150;
/** Gateways that are checked at a time: each check has a thread of its own. */
const checksAtATime = 2;

/** What a node may give as its cluster, and a directory be called. */
const gatewayNamePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/;

/**
 * The gateways of a directory, watched. The system's notices make it quick; looks at intervals make it sure: they see
 * what notices do not tell (network file systems, the symbolic links that Kubernetes swaps).
 */
export class GatewayDirectory {
  readonly #options: DirectoryOptions;
  readonly #history: History<Kept>;
  readonly #modules: KeptModules;
  readonly #gateways = new Map<string, Watched>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #closing = new AbortController();
  readonly #checks = new Slots(checksAtATime);
  readonly #underWay = new Set<Promise<void>>();
  #tokens: TokenIndex<DeliveredGateway> | undefined;
  #complaint: string | undefined;
  #wake: () => void = () => undefined;
  #watching: Promise<void> | undefined;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#history = new History<Kept>(options.state, keptSchema);
    this.#modules = new KeptModules(options.state);
  }

  /**
   * Takes up every gateway: what the state has of it, then its file. Resolves when each was checked.
   * @throws PluginServerError `gateways_unreadable`, `state_unwritable`
   */
  async open(): Promise<void> {
    const { directory, state } = this.#options;
    await this.#history.open().catch((error: unknown) => {
      throw new PluginServerError('state_unwritable', state, reasonOf(error));
    });
    await readdir(directory).catch((error: unknown) => {
      throw new PluginServerError('gateways_unreadable', directory, reasonOf(error));
    });
    await Promise.all((await this.#look(true)).work);
    // What cannot be read might need any.
    const needed = await this.#neededModules().catch(() => undefined);
    if (needed !== undefined) await this.#modules.removeOthers(needed);
    this.#watching = this.#watch();
    const unlisten = this.#options.catalogs?.listen(() => {
      this.#wake();
    });
    if (unlisten !== undefined) this.#closing.signal.addEventListener('abort', unlisten);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    for (const watcher of this.#watchers.values()) watcher.close();
    await this.#watching;
  }

  get(name: string): DeliveredGateway | undefined {
    return this.#gateways.get(name)?.gateway;
  }

  /** In alphabetical order. */
  all(): DeliveredGateway[] {
    return [...this.#gateways.values()].map(({ gateway }) => gateway).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What is wrong with the directory itself. */
  get complaint(): string | undefined {
    return this.#complaint;
  }

  /** Whose each token is. */
  get tokens(): TokenIndex<DeliveredGateway> {
    return (this.#tokens ??= new TokenIndex(this.all()));
  }

  /** Looks at once. Resolves when everything that was found has been dealt with. */
  async refresh(): Promise<void> {
    for (;;) {
      const { work, unsettled } = await this.#look(false);
      await Promise.all([...work, ...this.#underWay]); // what the watch has begun too
      if (!unsettled) return;
      await sleep(settleTime);
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      this.#listen(this.#options.directory);
      for (const name of this.#gateways.keys()) this.#listen(join(this.#options.directory, name));
      const { unsettled } = await this.#look(false);
      if (unsettled) await sleep(settleTime);
      else await Promise.race([woken, sleep(lookInterval, undefined, { signal }).catch(() => undefined)]);
    }
  }

  #listen(path: string): void {
    if (this.#watchers.has(path)) return;
    const forget = (): void => {
      this.#watchers.get(path)?.close();
      this.#watchers.delete(path);
    };
    try {
      const watcher = watch(path, (event) => {
        // The folder itself was moved or removed: a new one of that name is another folder.
        if (event === 'rename') forget();
        this.#wake();
      });
      watcher.on('error', forget);
      this.#watchers.set(path, watcher);
    } catch {
      // Not there, or the system has no more notices to give: the looks at intervals remain.
    }
  }

  /** One look at everything; `unsettled` where something has just changed, and is looked at again before it is read. */
  async #look(atOnce: boolean): Promise<{ work: Promise<void>[]; unsettled: boolean }> {
    const names = await this.#names();
    if (names === undefined) return { work: [], unsettled: false };
    for (const name of this.#gateways.keys()) {
      if (names.includes(name)) continue;
      this.#gateways.delete(name);
      this.#tokens = undefined;
      this.#options.forget(name);
    }
    const work: Promise<void>[] = [];
    let unsettled = false;
    for (const name of names) {
      const watched = this.#gateways.get(name) ?? this.#add(name, work);
      for (const file of watched.files) {
        const stamp = await stampOf(file.path);
        const moved = stamp !== file.seen;
        file.seen = stamp;
        if (moved && !atOnce) unsettled = true;
        else if (stamp !== file.read || file.again()) {
          file.read = stamp;
          // What fails here is told as a refusal, and tried again at the next look.
          const handled = file
            .handle()
            .catch(() => false)
            .then((done) => {
              if (!done) delete file.read;
              this.#underWay.delete(handled);
            });
          this.#underWay.add(handled);
          work.push(handled);
        }
      }
    }
    return { work, unsettled };
  }

  /** The directories in it; `undefined` where it cannot be read, and everything stays as it is. */
  async #names(): Promise<string[] | undefined> {
    const { directory } = this.#options;
    const names: string[] = [];
    const others: string[] = [];
    try {
      for (const name of (await readdir(directory)).sort()) {
        if (name.startsWith('.') || name === 'lost+found') continue; // a ConfigMap mount has ..data
        const there = await stat(join(directory, name)).catch(() => undefined);
        if (there?.isDirectory() !== true) continue;
        if (gatewayNamePattern.test(name)) names.push(name);
        else others.push(JSON.stringify(name));
      }
    } catch (error) {
      this.#complain(`${directory} cannot be read (${reasonOf(error)}): everything stays as it is`);
      return undefined;
    }
    this.#complain(others.length === 0 ? undefined : noNames(others));
    return names;
  }

  #complain(message: string | undefined): void {
    if (message === this.#complaint) return;
    this.#complaint = message;
    this.#options.complain(message);
  }

  #add(name: string, work: Promise<void>[]): Watched {
    const { directory, store, catalogs, tell } = this.#options;
    const folder = join(directory, name);
    const gateway = new DeliveredGateway(name, {
      history: this.#history,
      modules: this.#modules,
      store,
      catalogs,
      tell,
    });
    const restored = gateway.restore().catch((error: unknown) => gateway.lose(`its history: ${reasonOf(error)}`));
    work.push(restored);
    const generation = (): string => `${store.generation} ${catalogs?.generation ?? 0}`;
    let taken = generation();
    const watched: Watched = {
      gateway,
      files: [
        {
          path: join(folder, gatewayFileName),
          again: () => generation() !== taken,
          handle: () => {
            taken = generation();
            return this.#checks.run(() => takeFile(gateway, folder));
          },
        },
        {
          path: join(folder, tokenFileName),
          again: () => false,
          handle: async () => {
            gateway.tokens = await readTokens(folder);
            this.#tokens = undefined;
            return true;
          },
        },
        { path: this.#history.currentFile(name), again: () => false, handle: () => gateway.follow() },
      ],
    };
    this.#gateways.set(name, watched);
    return watched;
  }

  /** The digests for every gateway that the state has: another plugin server may have its directory, or it may come back. */
  async #neededModules(): Promise<Set<string>> {
    const needed = new Set<string>();
    for (const name of await this.#history.names()) {
      for (const { module } of await this.#history.versions(name)) needed.add(module.sha256);
    }
    return needed;
  }
}

interface Watched {
  readonly gateway: DeliveredGateway;
  readonly files: readonly WatchedFile[];
}

interface WatchedFile {
  readonly path: string;
  /** Stamps: at the last look, and when it was read. */
  seen?: string;
  read?: string;
  /** Whether it is to be handled again although it is the same. */
  readonly again: () => boolean;
  /** @returns false where it has to be handled again */
  readonly handle: () => Promise<boolean>;
}

async function takeFile(gateway: DeliveredGateway, folder: string): Promise<boolean> {
  let text: string;
  try {
    text = await readGatewayFile(folder);
  } catch (error) {
    await gateway.lose(`${gatewayFileName} ${(error as Error).message}`);
    return true;
  }
  try {
    return await gateway.take(text);
  } catch (error) {
    await gateway.lose(`${gatewayFileName} could not be checked: ${(error as Error).message}`);
    throw error;
  }
}

/** Lets so many things run at a time, the others wait. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async run<T>(step: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await step();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

function noNames(names: readonly string[]): string {
  const are = names.length === 1 ? 'is no name of a gateway' : 'are no names of gateways';
  return `${names.join(', ')} ${are}: letters, digits, ".", "_" and "-" only`;
}
