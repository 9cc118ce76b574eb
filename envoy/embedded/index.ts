import { readFileSync } from 'node:fs';
import { EngineError } from '../../common/engine-error.ts';
import { diagnose, lastLines } from '../engine/diagnosis.ts';
import type { Exit, RunningEngine } from '../engine/running.ts';
import { readBootstrap } from './config/bootstrap.ts';
import type { Configuration, HostPort } from './config/model.ts';
import { type RunningListener, startListener } from './downstream/listener.ts';
import { FilterSet } from './filter-set.ts';
import type { LogLevel } from './log.ts';
import { accessLogFormatter } from './observe/access-log.ts';
import { type RunningAdmin, startAdmin } from './observe/admin.ts';
import { LineLogger } from './observe/line-logger.ts';
import { StatsStore } from './observe/stats-store.ts';
import { WorkerAsyncClient } from './upstream/async-client.ts';
import { ClusterManager } from './upstream/cluster-manager.ts';
import { TrustStore } from './upstream/trust.ts';
import { WasmHost } from './wasm/host.ts';

/** The Envoy whose behaviour is reproduced. */
export const reproducedVersion = '1.40.0';

export interface EmbeddedOptions {
  /** A bootstrap: its file, or the configuration itself. Ports may be 0. */
  readonly config: string | object;
  /** VMs that serve, among which connections are dealt; 2 unless said otherwise, so that what lives in one only is noticed. */
  readonly concurrency?: number;
  /** Added to this process' environment; what host_env_keys name has to be in one of them. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logLevel?: LogLevel;
  /** Where the log and the access log go as well. */
  readonly logFile?: string;
  /** Ends a start under way. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a gateway in this process, as Envoy would run it: the subset of Envoy's configuration that envoy/envoy.yaml uses,
 * proxy-wasm modules on the same V8 that Envoy has. A tool for development and small deployments, not for the edge.
 * @throws EngineError with the cause; nothing is left running then
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<RunningEngine> {
  const logger = new LineLogger(options.logLevel ?? 'info', options.logFile);
  const engine = new Engine(options, logger);
  try {
    return await engine.start();
  } catch (error) {
    const cause = causeOf(error as Error, logger);
    await engine.stop();
    throw cause;
  }
}

/**
 * Checks a configuration without opening a port: reads it, and lets its modules judge their own.
 * @param module a file in the place of remote code
 * @throws EngineError with one line, and the module's own lines as its details
 */
export async function checkEmbedded(options: EmbeddedOptions & { readonly module?: string }): Promise<void> {
  const logger = new LineLogger(options.logLevel ?? 'info', options.logFile);
  const engine = new Engine(options, logger, options.module);
  try {
    await engine.load();
  } catch (error) {
    throw causeOf(error as Error, logger);
  } finally {
    await engine.stop();
  }
}

/** One line that says what is wrong, as for a real Envoy: from the log, which has Envoy's words. */
function causeOf(error: Error, logger: LineLogger): EngineError {
  if (error instanceof EngineError) return error;
  logger.log('critical', 'main', `error initializing configuration '': ${error.message}`);
  return diagnose(logger.text()) ?? new EngineError(error.message, 'environment', lastLines(logger.text()));
}

class Engine {
  readonly #options: EmbeddedOptions;
  readonly #logger: LineLogger;
  readonly #module: string | undefined;
  readonly #stats = new StatsStore();
  readonly #abort = new AbortController();
  readonly #listeners: RunningListener[] = [];
  readonly #exited: Promise<Exit>;
  #exit: (exit: Exit) => void = () => undefined;
  #clusters: ClusterManager[] = [];
  #host: WasmHost | undefined;
  #filters: FilterSet[] = [];
  #admin: RunningAdmin | undefined;
  #ready = false;
  #stopping: Promise<void> | undefined;

  /** @param module a file in the place of remote code */
  constructor(options: EmbeddedOptions, logger: LineLogger, module?: string) {
    this.#options = options;
    this.#logger = logger;
    this.#module = module;
    this.#exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
    options.signal?.addEventListener('abort', () => {
      this.#abort.abort();
    });
  }

  async start(): Promise<RunningEngine> {
    const bootstrap = this.#bootstrap();
    const configuration = this.#read(bootstrap);
    this.#admin = await startAdmin(configuration.admin ?? { host: '127.0.0.1', port: 0 }, {
      configuration,
      bootstrap,
      stats: this.#stats,
      version: reproducedVersion,
      isReady: () => this.#ready,
      listeners: () => new Map(this.#listeners.map(({ name, address }) => [name, address])),
    });
    await this.#load(configuration);
    this.#options.signal?.throwIfAborted();
    await this.#listen(configuration);
    // A module that could not be had leaves a listener that answers 503 to everything: said at once.
    const defect = diagnose(this.#logger.text());
    if (defect !== undefined) throw defect;
    this.#ready = true;
    this.#logger.log('info', 'main', `serving as Envoy ${reproducedVersion} would, in process ${process.pid}`);
    return {
      pid: process.pid,
      version: reproducedVersion,
      adminUrl: this.#admin.url,
      listeners: new Map(this.#listeners.map(({ name, address }) => [name, formatAddress(address)])),
      log: () => this.#logger.text(),
      exited: this.#exited,
      stop: () => this.stop(),
      kill: () => void this.stop(),
    };
  }

  async load(): Promise<void> {
    await this.#load(this.#read(this.#bootstrap()));
  }

  #bootstrap(): string | object {
    const { config } = this.#options;
    return typeof config === 'string' ? readFileSync(config, 'utf8') : config;
  }

  #read(bootstrap: string | object): Configuration {
    return readBootstrap(bootstrap, { ...process.env, ...this.#options.env });
  }

  async #load(configuration: Configuration): Promise<void> {
    const workers = this.#options.concurrency ?? 2;
    const trust = new TrustStore();
    this.#clusters = Array.from({ length: workers + 1 }, () => new ClusterManager(configuration.clusters, trust));
    const [mainClient, ...clients] = this.#clusters.map((clusters) => new WorkerAsyncClient(clusters));
    if (mainClient === undefined) throw new RangeError('a gateway needs a worker');
    const host = new WasmHost({
      mainClient,
      clients,
      stats: this.#stats,
      logger: this.#logger,
      node: { ...configuration.node, version: reproducedVersion },
      onAssertion: (error) => {
        this.#endFor(error);
      },
    });
    this.#host = host;
    this.#filters = configuration.listeners.map(
      ({ manager }) =>
        new FilterSet(manager.filters, {
          host,
          mainClient,
          clusters: this.#clusters.slice(1),
          runtime: configuration.runtime,
          logger: this.#logger,
          stats: this.#stats,
          environment: { ...process.env, ...this.#options.env },
          module: this.#module,
          signal: this.#abort.signal,
        }),
    );
    // One after the other: filters of one chain are to find each other's VM.
    for (const filters of this.#filters) await filters.load();
  }

  async #listen(configuration: Configuration): Promise<void> {
    const connections = { next: 0, active: 0, most: configuration.maxConnections };
    const workers = this.#options.concurrency ?? 2;
    for (const [index, listener] of configuration.listeners.entries()) {
      const { manager, bufferLimit } = listener;
      const writers = manager.accessLogs.map((log) => accessLogFormatter(log));
      const filters = this.#filters[index];
      if (filters === undefined) continue;
      const surroundings = {
        manager,
        bufferLimit,
        logger: this.#logger,
        stats: this.#stats,
        filters: (worker: number) => filters.of(worker),
        writeAccessLog: (info: Parameters<(typeof writers)[number]>[0]) => {
          for (const write of writers) this.#logger.access(write(info));
        },
      };
      this.#listeners.push(
        await this.#bind(() => startListener(listener, surroundings, workers, connections), listener.address),
      );
    }
  }

  async #bind<T>(start: () => Promise<T>, address: HostPort): Promise<T> {
    try {
      return await start();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'Address already in use' : (error as Error).message;
      this.#logger.log('critical', 'main', `cannot bind '${formatAddress(address)}': ${why}`);
      throw error;
    }
  }

  /** What follows a mistake that Envoy does not accept is undefined: the engine ends, and says why. */
  #endFor(error: Error): void {
    this.#logger.log('critical', 'assert', error.message);
    void this.stop({ code: 1, signal: null });
  }

  stop(exit: Exit = { code: 0, signal: null }): Promise<void> {
    this.#stopping ??= this.#stop(exit);
    return this.#stopping;
  }

  async #stop(exit: Exit): Promise<void> {
    this.#ready = false;
    this.#abort.abort();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const filters of this.#filters) filters.close();
    this.#host?.kill();
    for (const clusters of this.#clusters) clusters.close();
    await this.#admin?.close();
    this.#logger.close();
    this.#exit(exit);
  }
}

function formatAddress({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
