// What a catalog costs: `npx tsx test/bench/catalog.ts [URL of a Nacos, and its process id]`, which needs Java and Maven where
// none is given. 100 servers with 10 tools each: one look at Nacos, the module's change from one catalog to the next where it
// is given or asks itself, and its memory. CPU time says more than time on a machine that has other things to do.
import { NacosAdmin, user } from '../nacos/admin.ts';
import { startNacos } from '../nacos/nacos.ts';
import { serversOf, virtualServersOf } from '../../plugin-server/catalog/servers.ts';
import type { Catalog } from '../../plugin-server/catalog/catalog.ts';
import { moduleForm } from '../../plugin-server/catalog/module-form.ts';
import { NacosClient } from '../../plugin-server/nacos/client.ts';
import { NacosNamespace } from '../../plugin-server/nacos/namespace.ts';
import { moduleServer } from '../../envoy/render/servers.ts';
import type { CalloutAnswer } from '../filter/callouts.ts';
import { Host } from '../filter/host.ts';
import { Worker } from '../filter/worker.ts';
import { median } from './measure.ts';
import { cpuOf } from './processes.ts';

const servers = 100;
const toolsEach = 10;
const looks = 30;
const swaps = 30;

const [given, givenPid] = process.argv.slice(2);
const nacos = given === undefined ? await startNacos() : undefined;
try {
  const catalog = await lookAtNacos(given ?? nacos?.address ?? '', Number(givenPid ?? nacos?.pid()));
  changeCatalogs(catalog);
  pollCatalogs(catalog);
} finally {
  await nacos?.end();
}

/** @param pid of Nacos */
async function lookAtNacos(address: string, pid: number): Promise<Catalog> {
  const admin = new NacosAdmin({ address });
  await admin.logIn();
  for (let index = 0; index < servers; index++) {
    const [name, options] = [`bench-${index}`, serverOf(index)];
    await admin.create(name, options).catch(() => admin.update(name, options)); // it has them of an earlier run
  }
  const client = new NacosClient({ addresses: [address], credentials: () => user });
  const namespace = new NacosNamespace('public', 'public', client);
  const stop = new AbortController().signal;
  const first = performance.now();
  const { catalog } = await namespace.look(undefined, stop);
  row('the first look, which reads all', performance.now() - first, 'ms');
  const times: number[] = [];
  const cpu = cpuOf(pid);
  for (let look = 0; look < looks; look++) {
    const begin = performance.now();
    await namespace.look(undefined, stop);
    times.push(performance.now() - begin);
  }
  row('a look that finds no change', median(times), 'ms');
  row('  CPU of Nacos for it', (cpuOf(pid) - cpu) / looks / 1000, 'ms');
  return catalog;
}

function serverOf(index: number): Parameters<NacosAdmin['create']>[1] {
  const names = Array.from({ length: toolsEach }, (_, tool) => `get_record_${tool}`);
  const template = {
    requestTemplate: { url: '/records/{id}', method: 'GET' },
    responseTemplate: { body: '{{.name}} costs {{.price}}' },
    argsPosition: { id: 'path', lang: 'query' },
  };
  const inputSchema = {
    type: 'object',
    properties: {
      id: { type: 'string', description: 'The number of the record' },
      lang: { type: 'string', enum: ['en', 'de'], description: 'The language of its texts' },
    },
    required: ['id'],
  };
  return {
    protocol: 'http',
    endpoint: `192.0.2.${(index % 250) + 1}:8080`,
    tools: {
      tools: names.map((name) => ({
        name,
        description: 'Returns one record of the archive by its number.',
        inputSchema,
      })),
      toolsMeta: Object.fromEntries(
        names.map((name) => [name, { enabled: true, templates: { 'json-go-template': template } }]),
      ),
    },
  };
}

/** What each worker does when a catalog has changed, with a request under way that keeps the one before. */
function changeCatalogs(catalog: Catalog): void {
  const tools = servers * toolsEach;
  const configuration = (log: string): string =>
    JSON.stringify({
      log,
      servers: serversOf(catalog).servers.map((server) => moduleServer(server)),
      virtualServers: virtualServersOf(catalog),
    });
  const small = '{"servers":[{"name":"a","cluster":"a"}]}';
  const host = new Host({ configuration: small });
  host.configure();
  const before = host.module.memory.buffer.byteLength;
  const times: number[] = [];
  for (let swap = 0; swap < swaps; swap++) {
    const text = configuration(swap % 2 === 0 ? 'info' : 'warn');
    const begin = process.cpuUsage();
    if (!host.configure(text)) throw new Error(host.log.join('\n'));
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / 1000);
  }
  const grown = host.module.memory.buffer.byteLength - before;
  row(`the configuration of ${tools} tools`, configuration('info').length / 1024, 'KiB');
  row('  CPU of a worker for the change to it', median(times), 'ms');
  row('memory of a worker for two of them', grown / 1024 / 1024, 'MiB');
}

/** What two workers of an Envoy do that ask for their catalog: one polls for both, each takes up what has changed. */
function pollCatalogs(catalog: Catalog): void {
  const source = { cluster: 'plugin-server', namespace: 'public', clusters: ['*'] };
  const environment = { SLUICE_KEY_1: Buffer.alloc(32, 1).toString('base64url') };
  const worker = new Worker();
  const configuration = JSON.stringify({
    servers: [],
    sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] },
    catalog: source,
  });
  const workers = [1, 2].map((seed) => new Host({ configuration, environment, worker, seed, traced: false }));
  for (const worker of workers) if (!worker.configure()) throw new Error(worker.log.join('\n'));
  const { servers: made, virtualServers } = moduleForm(catalog, 'servers');
  const figures = { unchanged: [] as number[], asker: [] as number[], other: [] as number[] };
  for (let swap = 0; swap < swaps; swap++) {
    const etag = `"${swap}"`;
    const body = JSON.stringify({
      namespace: 'public',
      revision: `r${swap}`,
      servers: made,
      virtualServers,
      leftOut: [],
    });
    const [asker, other] = poll(workers, { headers: headersOf('200', etag), body: Buffer.from(body) });
    figures.asker.push(asker);
    figures.other.push(other);
    const [unchanged] = poll(workers, { headers: headersOf('304', etag), body: Buffer.alloc(0) });
    figures.unchanged.push(unchanged);
  }
  row('CPU of a worker that asks and finds no change', median(figures.unchanged), 'ms');
  row('  and that is answered with another catalog', median(figures.asker), 'ms');
  row('  of the other worker, which takes that up', median(figures.other), 'ms');
}

function headersOf(status: string, etag: string): [string, string][] {
  return [
    [':status', status],
    ['content-type', 'application/json'],
    ['etag', etag],
  ];
}

/** Lets time pass until one of them asks. @returns milliseconds of CPU of that one, and of the others' next tick */
function poll(workers: readonly Host[], answer: CalloutAnswer): [asker: number, others: number] {
  for (const worker of workers) worker.now += 3_000_000_000n;
  const isAsking = (worker: Host): boolean => worker.pending.length > 0;
  let asking = 0;
  for (const worker of workers) {
    const spent = cpuWhile(() => {
      worker.tick();
    });
    if (isAsking(worker)) asking += spent;
  }
  const asker = workers.find(isAsking);
  const [callout] = asker?.pending ?? [];
  if (asker === undefined || callout === undefined) throw new Error('nobody has asked');
  asking += cpuWhile(() => {
    asker.answer(callout, answer);
  });
  const others = cpuWhile(() => {
    for (const worker of workers) if (worker !== asker) worker.tick();
  });
  return [asking, others];
}

function cpuWhile(run: () => void): number {
  const begin = process.cpuUsage();
  run();
  const { user: own, system } = process.cpuUsage(begin);
  return (own + system) / 1000;
}

function row(what: string, figure: number, unit: string): void {
  process.stdout.write(`${what.padEnd(44)}${figure.toFixed(2).padStart(10)} ${unit}\n`);
}
