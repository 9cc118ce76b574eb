// Runs in the thread that isolation.ts starts: a module, a configuration, an outcome; and again.
import { parentPort } from 'node:worker_threads';
import type { AsyncClient } from '../embedded/async-client.ts';
import type { WasmPlugin } from '../embedded/config/model.ts';
import { HostAssertion } from '../../proxy-wasm/host-assertion.ts';
import { hostCalls } from '../embedded/wasm/host-calls.ts';
import type { LogLevel, Logger } from '../embedded/log.ts';
import { StatsStore } from '../embedded/observe/stats-store.ts';
import { compileModule } from '../../proxy-wasm/compile.ts';
import { WasmInstance } from '../embedded/wasm/instance.ts';
import { LoadError } from '../../proxy-wasm/load-error.ts';
import { Shared } from '../embedded/wasm/shared.ts';
import type { Message, Order, Outcome } from './isolation.ts';

/** The most lines of the module. What comes after them, or behind their first part, is dropped. */
const mostLines = 2_000;
const longestLine = 4_096;
/** The most that a module puts where other VMs could find it; arrays are no part of the heap that the thread is limited to. */
const mostShared = 64 << 20;

function post(message: Message): void {
  parentPort?.postMessage(message);
}

/** Passes on what the module itself says; vm_id is empty here. */
function loggerFor({ rootId }: Order): Logger {
  const ownPrefix = rootId === '' ? 'wasm log: ' : `wasm log ${rootId}: `;
  let told = 0;
  return {
    level: 'trace',
    log: (level: LogLevel, _component, text) => {
      if (!text.startsWith(ownPrefix) || told++ >= mostLines) return;
      post({ kind: 'line', line: { level, text: text.slice(ownPrefix.length).slice(0, longestLine) } });
    },
    access: () => undefined,
  };
}

/** There is no network here: a callout is refused as to a cluster that does not exist. */
const client: AsyncClient = { hasCluster: () => false, send: () => undefined };

class LimitedShared extends Shared {
  #bytes = 0;

  override set(...[vmId, key, bytes, cas]: Parameters<Shared['set']>): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > mostShared) throw new HostAssertion(`it shares more than ${mostShared} bytes`);
    return super.set(vmId, key, bytes, cas);
  }

  /** An item for a queue needs one, and each look-up may be for the largest of items. */
  override queue(token: number): ReturnType<Shared['queue']> {
    const queue = super.queue(token);
    const bytes = queue?.items.reduce((sum, { length }) => sum + length, 0) ?? 0;
    if (bytes > mostShared) throw new HostAssertion(`it queues more than ${mostShared} bytes`);
    return queue;
  }
}

function plugin({ module, rootId, configuration, environment }: Order): WasmPlugin {
  return {
    name: rootId,
    rootId,
    failurePolicy: 'FAIL_CLOSED',
    reloadBackoff: 1000,
    allowOnHeadersStopIteration: true,
    configuration: Buffer.from(configuration),
    vm: {
      id: '',
      configuration: new Uint8Array(0),
      code: { kind: 'inline', bytes: module },
      environment,
      nackOnCodeCacheMiss: false,
    },
    capabilities: undefined,
  };
}

function run(order: Order): Outcome {
  const stats = new StatsStore();
  let assertion: HostAssertion | undefined;
  try {
    const configured = plugin(order);
    const instance = new WasmInstance(compileModule(order.module), configured, hostCalls, {
      client,
      shared: new LimitedShared(),
      stats,
      logger: loggerFor(order),
      node: { id: '', cluster: '', version: '' },
      onAssertion: (error) => {
        assertion ??= error;
      },
    });
    const started = instance.start(configured);
    if (assertion !== undefined) return { kind: 'trapped', why: assertion.message };
    const { failed } = instance.vm;
    if (failed !== undefined) return { kind: 'trapped', why: failed.split('\n', 1)[0] ?? '' };
    // docs/metrics.md: every Sluice says in this metric what became of its configuration.
    const own = [...stats.gauges.keys()].some((name) => name.startsWith('wasmcustom.sluice_config.'));
    return { kind: typeof started === 'string' ? 'refused' : 'accepted', own };
  } catch (error) {
    if (error instanceof LoadError || error instanceof HostAssertion) return { kind: 'unusable', why: error.message };
    throw error;
  }
}

parentPort?.on('message', (order: Order) => {
  post({ kind: 'end', outcome: run(order) });
});
post({ kind: 'ready' });
