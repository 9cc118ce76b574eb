// The listener of a case: its filters, in the VMs that they are in, and the route that nothing undecided may pass.
import type { Callout, CalloutAnswer } from './callouts.ts';
import { type Filter, isUndecided, openStream, OTHER } from './filters.ts';
import { Host } from './host.ts';
import type { Headers } from './pairs.ts';
import type { Properties } from './properties.ts';
import { DECIDER } from './replies.ts';
import type { LocalReply } from './encoding.ts';
import type { Stream } from './stream.ts';
import { Worker } from './worker.ts';

const OF_HOLD = 'sluice';
const OF_PAIR = 'sluice\nsluice-holder';
/** Filters of another kind: one that waits until the request has come, and one that then answers it by itself. */
const OTHERS = ['waits', 'refuses'];
/** What stands behind the root id of a filter, after a comma. */
const NO_FLAG = 'without the flag';
const APART = 'in another VM';

export class Listener {
  readonly worker = new Worker();
  /** The VMs; the first filter of the module is in the first. */
  readonly hosts: Host[] = [];
  readonly #filters: (Filter | typeof OTHER)[] = [];
  readonly #endpoint: string;
  /** One of its filters answers by itself. */
  readonly refuses: boolean;
  /** A filter holds headers without the flag, so that its body never comes. */
  withholds = false;

  /** @param filters a line each; empty: what the host mode of the configuration takes */
  constructor(configuration: string, filters: string) {
    const { endpoint = '/mcp', hostMode = 'hold' } = JSON.parse(configuration) as Record<string, string | undefined>;
    this.#endpoint = endpoint;
    const lines = filters === '' ? (hostMode === 'pair' ? OF_PAIR : OF_HOLD) : filters.trimEnd();
    this.refuses = lines.includes('refuses');
    for (const line of lines.split('\n')) {
      if (OTHERS.includes(line)) this.#filters.push(OTHER);
      else this.#load(line, configuration, hostMode);
    }
  }

  #load(line: string, configuration: string, hostMode: string): void {
    const [rootId = DECIDER, ...options] = line.split(', ');
    const unknown = options.find((option) => option !== NO_FLAG && option !== APART);
    if (unknown !== undefined) throw new Error(`no filter can be ${unknown}`);
    const host = this.#vm(options.includes(APART) ? 1 : 0, configuration);
    if (!host.has(rootId) && !host.configure(configuration, rootId)) throw new Error(host.log.join('\n'));
    const flag = hostMode === 'pair' ? 'unneeded' : options.includes(NO_FLAG) ? 'missing' : 'set';
    this.withholds ||= flag === 'missing';
    this.#filters.push({ host, rootId, flag });
  }

  #vm(index: number, configuration: string): Host {
    const environment = {
      SLUICE_KEY_1: Buffer.alloc(32, 1).toString('base64url'),
      TOKEN: 'secret',
      STATUS: '0123456789abcdef',
    };
    const { worker } = this;
    return (this.hosts[index] ??= new Host({
      configuration,
      environment,
      emptyClusters: ['empty'],
      traced: true,
      seed: index + 1,
      worker,
    }));
  }

  /** @param route what comes back for a request that gets to its route undecided */
  open(properties: Properties, route: LocalReply = DEFAULT_DENY): Stream {
    return openStream(this.#filters, this.worker.loop, {
      properties,
      route: (headers) => (this.isUndecided(headers) ? route : undefined),
    });
  }

  isUndecided(headers: Headers): boolean {
    return isUndecided(headers, this.#endpoint);
  }

  /** What has to come before a case that is not about a first request: one whose body the filter was shown. */
  warmUp(): void {
    const stream = this.open(new Map());
    const headers: Headers = [
      [':authority', 'mcp.example.com'],
      [':method', 'POST'],
      [':path', this.#endpoint],
    ];
    this.worker.loop.event(() => {
      stream.requestHeaders(headers, false);
      stream.requestBody(Buffer.from('?'), true);
    });
    stream.close();
    this.worker.trace.length = 0;
  }

  get pending(): Callout[] {
    return this.hosts.flatMap(({ pending }) => pending);
  }

  answer(callout: Callout, answer: CalloutAnswer): void {
    this.hosts.find(({ pending }) => pending.includes(callout))?.answer(callout, answer);
  }

  tick(): void {
    for (const host of this.hosts) host.tick();
  }

  wait(seconds: number): void {
    for (const host of this.hosts) host.now += BigInt(seconds) * 1_000_000_000n;
  }
}

const DEFAULT_DENY: LocalReply = {
  status: 500,
  details: 'direct_response',
  headers: [['content-type', 'application/json']],
  body: Buffer.from('{"error":"no filter decided on this request"}'),
};
