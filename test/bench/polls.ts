// What polling gateways cost: `npx tsx test/bench/polls.ts [nodes] [seconds] [gateways]` starts `sluice serve` and so many
// nodes that poll it as Envoy does, and prints the part of a core that the server needs while nothing is new, and how long
// an edit of one gateway takes to be on all of its nodes. Each node has a connection of its own, two
// subscriptions, polls of 77 KB, and the pauses of envoy/live.yaml.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';

const clone = fileURLToPath(new URL('../..', import.meta.url));
const [nodes = 1000, seconds = 30, gateways = 10] = process.argv.slice(2).map(Number);

/** As long as what Envoy 1.40 lists of itself in every poll. */
const extensions = JSON.stringify(
  Array.from({ length: 640 }, (_, index) => ({
    name: `envoy.filters.http.number_${String(index).padStart(4, '0')}`,
    category: 'envoy.filters.http',
    type_urls: ['envoy.extensions.filters.http.example.v3.Example'],
  })),
);

const kinds = {
  clusters: { path: '/v3/discovery:clusters', type: 'type.googleapis.com/envoy.config.cluster.v3.Cluster' },
  extension_configs: {
    path: '/v3/discovery:extension_configs',
    type: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
  },
} as const;

const counts = { given: 0, filters: 0, nothing: 0, failed: 0 };
let stopped = false;

async function subscribe(
  kind: keyof typeof kinds,
  id: number,
  agent: Agent,
  origin: string,
  token: string,
): Promise<void> {
  const { hostname, port } = new URL(origin);
  const { path, type } = kinds[kind];
  let version = '';
  while (!stopped) {
    const head = version === '' ? '{' : `{"version_info":"${version}",`;
    const node = `"node":{"id":"node-${id}","cluster":"gateway-${id % gateways}","user_agent_name":"envoy",`;
    const names = kind === 'extension_configs' ? ',"resource_names":["sluice"]' : '';
    const body = [head, node, '"extensions":', extensions, '}', names, `,"type_url":"${type}"}`].join('');
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      authorization: `Bearer ${token}`,
      'x-envoy-expected-rq-timeout-ms': '60000',
    };
    try {
      const sent = request({ agent, hostname, port, path, method: 'POST', headers }).end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      let text: string | undefined;
      for await (const chunk of answer) text ??= String(chunk);
      if (answer.statusCode === 200) {
        version = /"version_info":"([^"]*)"/.exec(text ?? '')?.[1] ?? '';
        counts.given += 1;
        if (kind === 'extension_configs' && id % gateways === 0) counts.filters += 1;
      } else counts[answer.statusCode === 304 ? 'nothing' : 'failed'] += 1;
    } catch {
      counts.failed += 1;
    }
    await sleep(250 + Math.random() * 250);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-polls-'));
const token = randomBytes(24).toString('base64url');
for (let index = 0; index < gateways; index++) {
  const gateway = join(folder, 'gateways', `gateway-${index}`);
  mkdirSync(gateway, { recursive: true });
  writeFileSync(join(gateway, 'sluice.yaml'), 'servers: [{ name: a, url: "http://127.0.0.1:1/mcp", prefix: a_ }]\n');
  writeFileSync(join(gateway, 'token'), token);
}
const args = [
  'serve',
  '--json',
  '--listen',
  '127.0.0.1:0',
  '--gateways',
  join(folder, 'gateways'),
  '--state',
  join(folder, 'state'),
];
const child = spawn(process.execPath, [join(clone, 'bin/sluice.mjs'), ...args, '--access-log', 'off'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { pluginServer } = JSON.parse(line) as { pluginServer: string };
  const cpu = (): number => {
    const fields =
      readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8')
        .split(') ')[1]
        ?.split(' ') ?? [];
    const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
    return (Number(fields[11]) + Number(fields[12])) / ticks;
  };
  const running: Promise<void>[] = [];
  for (let id = 0; id < nodes; id++) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const kind of Object.keys(kinds) as (keyof typeof kinds)[])
      running.push(subscribe(kind, id, agent, pluginServer, token));
    await sleep(5);
  }
  await sleep(15_000); // everything is given out, and the nodes are quiet
  const before = { cpu: cpu(), at: performance.now(), polls: counts.nothing + counts.given };
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - before.at) / 1000;
  const share = (cpu() - before.cpu) / elapsed;
  const polls = (counts.nothing + counts.given - before.polls) / elapsed;
  console.log(
    `${nodes} nodes: ${(share * 100).toFixed(1)} % of a core, ${polls.toFixed(0)} polls/s, ${counts.failed} failed`,
  );

  const { filters } = counts;
  const edited = performance.now();
  const gateway = join(folder, 'gateways/gateway-0');
  writeFileSync(join(gateway, 'new'), 'servers: [{ name: b, url: "http://127.0.0.1:1/mcp", prefix: b_ }]\n');
  renameSync(join(gateway, 'new'), join(gateway, 'sluice.yaml'));
  const all = Math.ceil(nodes / gateways);
  while (counts.filters < filters + all) await sleep(10);
  console.log(`an edit is on all ${all} nodes after ${((performance.now() - edited) / 1000).toFixed(1)} s`);
  stopped = true;
} finally {
  child.kill('SIGTERM');
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
}
process.exit();
