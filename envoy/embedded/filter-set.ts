import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { AsyncClient } from './async-client.ts';
import { readDiscovered } from './config/bootstrap.ts';
import type { HttpFilter, WasmPlugin } from './config/model.ts';
import type { FilterFactory } from './filter.ts';
import type { Logger } from './log.ts';
import type { NamedFactory } from './manager/options.ts';
import type { Stats } from './stats.ts';
import type { ClusterManager } from './upstream/cluster-manager.ts';
import { fetchCode } from './upstream/remote-code.ts';
import { routerFactory } from './upstream/router.ts';
import { type LoadedPlugin, type WasmHost, absentPlugin } from './wasm/host.ts';
import { LoadError } from '../../proxy-wasm/load-error.ts';

export interface FilterSurroundings {
  readonly host: WasmHost;
  readonly mainClient: AsyncClient;
  /** The clusters of each worker. */
  readonly clusters: readonly ClusterManager[];
  readonly runtime: Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  readonly stats: Stats;
  readonly environment: NodeJS.ProcessEnv;
  /** A file in the place of remote code. */
  readonly module: string | undefined;
  /** Ends the wait for remote code. */
  readonly signal: AbortSignal;
}

/** The chain of one listener: what its filters are made from, now. */
export class FilterSet {
  readonly #filters: readonly HttpFilter[];
  readonly #surroundings: FilterSurroundings;
  /** Plugins by their place in the chain. */
  readonly #plugins = new Map<HttpFilter, LoadedPlugin>();
  readonly #watchers: FSWatcher[] = [];
  /** By worker; made anew where a plugin has changed. */
  #chains: NamedFactory[][] = [];

  constructor(filters: readonly HttpFilter[], surroundings: FilterSurroundings) {
    this.#filters = filters;
    this.#surroundings = surroundings;
  }

  /** @throws LoadError where a plugin of the configuration cannot run */
  async load(): Promise<void> {
    for (const filter of this.#filters) {
      if (filter.kind === 'wasm') this.#plugins.set(filter, await this.#loadPlugin(filter.plugin));
      else if (filter.kind === 'discovered') await this.#discover(filter);
    }
    this.#chains = this.#surroundings.clusters.map((_, worker) => this.#chainOf(worker));
  }

  of(worker: number): readonly NamedFactory[] {
    return this.#chains[worker] ?? [];
  }

  #chainOf(worker: number): NamedFactory[] {
    return this.#filters.map((filter) => ({ name: filter.name, create: this.#factoryOf(filter, worker) }));
  }

  #factoryOf(filter: HttpFilter, worker: number): FilterFactory {
    switch (filter.kind) {
      case 'native':
        return filter.create;
      case 'router': {
        const clusters = this.#surroundings.clusters[worker];
        if (clusters === undefined) throw new RangeError('there is no such worker');
        return routerFactory({ clusters, runtime: this.#surroundings.runtime });
      }
      case 'wasm':
      case 'discovered':
        return this.#plugins.get(filter)?.factory(worker) ?? withoutConfiguration;
    }
  }

  async #loadPlugin(plugin: WasmPlugin): Promise<LoadedPlugin> {
    const { host, logger } = this.#surroundings;
    const code = await this.#codeOf(plugin);
    return code === undefined ? absentPlugin(plugin, logger) : host.load(plugin, code);
  }

  async #codeOf({ name, vm: { code } }: WasmPlugin): Promise<Uint8Array | undefined> {
    const { module, mainClient, logger, signal } = this.#surroundings;
    if (code.kind === 'inline') return code.bytes;
    if (code.kind === 'remote' && module === undefined) return fetchCode(code, mainClient, logger, signal);
    const path = code.kind === 'file' ? code.path : (module ?? '');
    try {
      return readFileSync(path);
    } catch (error) {
      logger.log('error', 'wasm', `${path}: ${(error as Error).message}`);
      throw new LoadError(`Unable to create Wasm plugin ${name}`, []);
    }
  }

  /** Takes the filter from a file, and again whenever another one is moved to its place. */
  async #discover(filter: Extract<HttpFilter, { kind: 'discovered' }>): Promise<void> {
    await this.#update(filter);
    const watcher = watch(dirname(filter.path), (_, changed) => {
      if (changed !== basename(filter.path)) return;
      void this.#update(filter).then(() => {
        this.#chains = this.#surroundings.clusters.map((_cluster, worker) => this.#chainOf(worker));
      });
    });
    this.#watchers.push(watcher);
  }

  /** The version of what came last, by filter. */
  readonly #versions = new Map<HttpFilter, string>();

  /** A bad one is refused, and the last good one stays. */
  async #update(filter: Extract<HttpFilter, { kind: 'discovered' }>): Promise<void> {
    const { stats, logger, environment } = this.#surroundings;
    const prefix = `extension_config_discovery.http_filter.${filter.name}.`;
    try {
      const text = readFileSync(filter.path, 'utf8');
      const { version_info: version = '', resources = [] } = JSON.parse(text) as {
        version_info?: string;
        resources?: unknown[];
      };
      if (version === this.#versions.get(filter)) return;
      this.#versions.set(filter, version);
      const loaded = await this.#loadPlugin(readDiscovered(resources[0], environment));
      const before = this.#plugins.get(filter);
      this.#plugins.set(filter, loaded);
      before?.close();
      stats.counter(`${prefix}config_reload`).add(1n);
    } catch (error) {
      stats.counter(`${prefix}update_rejected`).add(1n);
      logger.log('warning', 'config', `${filter.path}: update rejected: ${(error as Error).message}`);
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}

/** A discovered filter that has not come yet: nothing passes it. (envoy: dynamic filter default) */
const withoutConfiguration: FilterFactory = (callbacks) => ({
  decodeHeaders: () => {
    callbacks.sendLocalReply({ status: 500, body: '', details: 'filter_config_not_found' });
    return 1;
  },
});
