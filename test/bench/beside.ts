// `npm run bench:beside`: what a call, a list and a session cost with Sluice, beside Envoy's own MCP router and beside
// filters that do no more than any that routes on the body must. All are listeners of one Envoy as shipped, with the
// access log; what is compared is CPU of Envoy over the same route without a filter, in turns.
import { parseArgs } from 'node:util';
import { startBeside } from './gateway.ts';
import type { Call } from './load.ts';
import { measure, median } from './measure.ts';
import { start, startUpstream } from './processes.ts';
import { ratioOf } from './ratio.ts';
import { BEGINNING, callOf, INITIALIZE, LIST, post, sessionAt } from './requests.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, seconds: { type: 'string', default: '1' } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];

const upstream = await startUpstream();
const generator = start('load.ts');
const gateway = await startBeside(upstream.port);
const hasNative = !Number.isNaN(gateway.portOf('native'));
if (!hasNative) process.stdout.write('This Envoy has no MCP router of its own: its rows are left out.\n');

type Row = Parameters<typeof gateway.portOf>[0];

try {
  for (const connections of [16, 64]) {
    await compare(`tools/call of 1 KB, ${connections} connections`, connections, true, {
      plain: plain('get_record_1'),
      floor: plain('get_record_1'),
      exports: plain('get_record_1'),
      ...(hasNative ? { native: post(callOf('server-0__get_record_1', 1000)) } : {}),
      hold: post(callOf('s0_get_record_1', 1000), await sessionAt(gateway.portOf('hold'))),
      pair: post(callOf('s0_get_record_1', 1000), await sessionAt(gateway.portOf('pair'))),
    });
  }
  await compare('tools/list, 2 servers × 100 tools', 2, false, {
    ...(hasNative ? { native: post(LIST) } : {}),
    hold: post(LIST, await sessionAt(gateway.portOf('hold'))),
  });
  await compare('initialize, 2 servers', 2, false, {
    ...(hasNative ? { native: post(INITIALIZE) } : {}),
    hold: post(INITIALIZE),
    known: post(INITIALIZE),
  });
  await compare('initialize, 10 servers', 2, false, {
    ...(hasNative ? { 'native 10': post(INITIALIZE) } : {}),
    'hold 10': post(INITIALIZE),
    'known 10': post(INITIALIZE),
  });
  // Sluice has told its servers that the session is initialized when it answers; the native router tells them now.
  await compare('initialize and notifications/initialized, 2 servers', 2, false, {
    ...(hasNative ? { native: BEGINNING } : {}),
    hold: BEGINNING,
    known: BEGINNING,
  });
  await compare('initialize and notifications/initialized, 10 servers', 2, false, {
    ...(hasNative ? { 'native 10': BEGINNING } : {}),
    'hold 10': BEGINNING,
    'known 10': BEGINNING,
  });
} finally {
  await gateway.stop();
  generator.disconnect();
  upstream.child.disconnect();
}

/** A client that says itself which server it wants. */
function plain(tool: string): string {
  return post(callOf(tool, 1000), { 'x-mcp-servername': 'server-0' });
}

/**
 * Measures the rows in turns and prints them.
 * @param isOverPlain what counts is what a row adds to the first one
 */
async function compare(
  title: string,
  connections: number,
  isOverPlain: boolean,
  requests: Partial<Record<Row, Call>>,
): Promise<void> {
  const rows = Object.keys(requests) as Row[];
  const cpu = new Map<Row, number[]>(rows.map((row) => [row, []]));
  for (let round = -1; round < rounds; round++) {
    for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
      const port = gateway.portOf(row);
      const one = await measure(gateway.envoy.pid, generator, port, requests[row] ?? '', seconds, connections);
      if (round >= 0) cpu.get(row)?.push(one.cpu); // the first round warms everything up
    }
  }
  const base = isOverPlain ? (cpu.get('plain') ?? []) : [];
  const costOf = (row: Row): number[] => (cpu.get(row) ?? []).map((one, index) => one - (base[index] ?? 0));
  const nativeRow = rows.find((row) => row.startsWith('native'));
  process.stdout.write(
    `\n${title}\n${'CPU of Envoy, µs'.padEnd(20)}    whole    added   over native   95 % interval\n`,
  );
  for (const row of rows) {
    const cells = [cpu.get(row) ?? [], costOf(row)].map((all) => median(all).toFixed(1).padStart(9)).join('');
    process.stdout.write(`${row.padEnd(20)}${cells}${row === 'plain' ? '' : overNative(costOf(row), nativeRow)}\n`);
  }

  function overNative(costs: readonly number[], native: Row | undefined): string {
    if (native === undefined) return '';
    if ([...costs, ...costOf(native)].some((cost) => cost <= 0))
      return '   too noisy: a row cost less than the plain one';
    const { ratio, low, high } = ratioOf(costs, costOf(native));
    return `${ratio.toFixed(2).padStart(14)}   ${low.toFixed(2)} … ${high.toFixed(2)}`;
  }
}
