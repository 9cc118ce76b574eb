import type { CatalogSource, Catalogs } from '../catalog/catalogs.ts';
import { failureText, wait } from '../http/client.ts';
import type { Log } from '../log.ts';
import { NacosClient, type NacosClientOptions } from './client.ts';
import { NacosNamespace } from './namespace.ts';
import { ChangeWatch } from './watch.ts';

export interface NacosSyncOptions extends NacosClientOptions {
  /** The id of each of Nacos' namespaces, by its name here. */
  readonly namespaces: ReadonlyMap<string, string>;
  readonly catalogs: Catalogs;
  readonly log: Log;
  /** Milliseconds between two looks; by default 1 s. */
  readonly interval?: number;
  /** Milliseconds at most between two tries while Nacos is down; by default 5 s. */
  readonly longestWait?: number;
}

/** Milliseconds at most until the next look, where Nacos lists what it does not give out yet. */
const soon = 1_000;

/** How one namespace stands. */
export interface NacosState {
  readonly namespace: string;
  /** The address that answered last, or is tried next. */
  readonly address: string;
  /** When it was last read, ISO 8601. */
  readonly synced: string | null;
  /** Why it was not, the last time. */
  readonly error: string | null;
}

/** Keeps catalogs in step with namespaces of Nacos. */
export class NacosSync implements CatalogSource {
  readonly name = 'Nacos';
  readonly #options: NacosSyncOptions;
  readonly #mirrors: readonly Mirror[];
  readonly #stop = new AbortController();
  #running: Promise<void>[] = [];

  constructor(options: NacosSyncOptions) {
    this.#options = options;
    const client = new NacosClient(options);
    this.#mirrors = [...options.namespaces].map(([name, id]) => new Mirror(name, id, client, options));
    options.catalogs.addSource(this);
  }

  /** Begins to look. Resolves when each namespace was looked at once, whatever that came to. */
  async start(): Promise<void> {
    this.#running = this.#mirrors.map((mirror) => mirror.run(this.#stop.signal));
    await Promise.all(this.#mirrors.map((mirror) => mirror.first));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  owns(namespace: string): boolean {
    return this.#options.namespaces.has(namespace);
  }

  states(): readonly NacosState[] {
    return this.#mirrors.map((mirror) => mirror.state());
  }

  state(): object {
    return { source: 'nacos', namespaces: this.states() };
  }

  problems(): readonly string[] {
    return this.states()
      .filter(({ error }) => error !== null)
      .map(({ namespace, error }) => `catalog ${namespace}: Nacos cannot be followed: ${error ?? ''}`);
  }
}

class Mirror {
  readonly #name: string;
  readonly #client: NacosClient;
  readonly #namespace: NacosNamespace;
  readonly #watch: ChangeWatch;
  readonly #catalogs: Catalogs;
  readonly #log: Log;
  readonly #interval: number;
  readonly #longestWait: number;
  #synced: Date | undefined;
  #error: string | undefined;
  #failures = 0;
  #looked: () => void = () => undefined;
  /** Resolves when it has looked once. */
  readonly first = new Promise<void>((resolve) => (this.#looked = resolve));

  constructor(name: string, id: string, client: NacosClient, options: NacosSyncOptions) {
    this.#name = name;
    this.#client = client;
    this.#namespace = new NacosNamespace(name, id, client);
    this.#watch = new ChangeWatch(client, id);
    this.#catalogs = options.catalogs;
    this.#log = options.log;
    this.#interval = options.interval ?? 1_000;
    this.#longestWait = options.longestWait ?? 5_000;
  }

  state(): NacosState {
    return {
      namespace: this.#name,
      address: this.#client.address,
      synced: this.#synced?.toISOString() ?? null,
      error: this.#error ?? null,
    };
  }

  async run(stop: AbortSignal): Promise<void> {
    const isOver = (): boolean => stop.aborted;
    while (!isOver()) {
      try {
        await this.#look(stop);
        this.#succeed();
      } catch (error) {
        if (!isOver()) this.#fail(failureText(error));
      }
      this.#looked();
      await this.#rest(stop);
    }
    this.#watch.stop();
  }

  /** Until the next look is due, or Nacos tells of a change. */
  async #rest(stop: AbortSignal): Promise<void> {
    const pause = this.#pause();
    const { listed } = this.#namespace;
    if (stop.aborted || this.#failures > 0 || listed === undefined) {
      await wait(pause, stop);
      return;
    }
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    stop.addEventListener('abort', end, { once: true });
    const told = this.#watch.next();
    this.#watch.follow(listed);
    await Promise.race([wait(pause, over.signal), told]);
    stop.removeEventListener('abort', end);
    over.abort();
  }

  async #look(stop: AbortSignal): Promise<void> {
    const namespace = this.#catalogs.of(this.#name);
    const { catalog, problems } = await this.#namespace.look(namespace.given?.catalog, stop);
    await namespace.take({ catalog, problems, cause: 'nacos' });
  }

  #succeed(): void {
    if (this.#error !== undefined)
      this.#log.info({ catalog: this.#name }, `catalog ${this.#name}: Nacos is followed again`);
    this.#synced = new Date();
    this.#error = undefined;
    this.#failures = 0;
  }

  #fail(reason: string): void {
    // Once for each reason: a night without Nacos is no thousand lines.
    if (this.#error !== reason) {
      this.#log.error({ catalog: this.#name }, `catalog ${this.#name}: Nacos cannot be followed: ${reason}`);
    }
    this.#error = reason;
    this.#failures += 1;
  }

  /** A random part keeps replicas from asking all at once. */
  #pause(): number {
    const longest = Math.min(this.#interval * 2 ** Math.min(this.#failures, 10), this.#longestWait);
    const usual = this.#namespace.isBehind ? Math.min(this.#interval, soon) : this.#interval;
    return (this.#failures === 0 ? usual : longest) * (0.75 + Math.random() / 4);
  }
}
