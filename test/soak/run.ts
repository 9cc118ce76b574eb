// `npm run soak`: minutes of load with faults on a real Envoy. `npm run soak -- --minutes 60` makes it an hour. Ends with
// what was wrong, which has to be nothing; exit code 1 where something was.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { obtainEnvoy } from '../../envoy/engine/obtain.ts';
import { growth } from './memory.ts';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    callers: { type: 'string', default: '50' },
    rest: { type: 'string', default: '200' },
    streams: { type: 'string', default: '1000' },
    'stream-seconds': { type: 'string', default: '60' },
    'event-pause': { type: 'string', default: '1000' },
    'fault-pause': { type: 'string', default: '3000' },
  },
});

/** What Envoy may need more at the end than at the beginning: it keeps pages that it has freed. */
const tolerated = { share: 1.1, resident: 24, wasm: 8 };

const envoy = await obtainEnvoy({
  env: process.env,
  folder: fileURLToPath(new URL('../../.envoy', import.meta.url)),
  mode: 'hold',
  progress: say,
});
const { tally, faults, memory, longestPause } = await soak({
  binary: envoy.path,
  seconds: Number(values.minutes) * 60,
  rounds: 1,
  callers: Number(values.callers),
  rest: Number(values.rest),
  streams: Number(values.streams),
  streamSeconds: Number(values['stream-seconds']),
  eventPause: Number(values['event-pause']),
  faultPause: Number(values['fault-pause']),
  progress: (line) => {
    say(`${new Date().toISOString().slice(11, 19)}  ${line}`);
  },
});

table('answers', tally.outcomes);
table('faults', faults);
const problems = [...tally.wrong];
for (const name of ['resident', 'wasm'] as const) {
  const { early, late } = growth(memory, (one) => one[name]);
  console.log(`\nmemory, ${name}: ${early.toFixed(1)} MiB early, ${late.toFixed(1)} MiB late`);
  if (late > early * tolerated.share + tolerated[name]) problems.push(`the memory (${name}) has grown`);
}
console.log(`\nlongest pause of clients and servers: ${longestPause.toFixed(1)} s`);
console.log(`\n${tally.wrongs} wrong answers`);
for (const problem of problems) console.log(`  ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function table(title: string, counts: ReadonlyMap<string, number>): void {
  console.log(`\n${title}`);
  for (const [name, times] of [...counts].sort(([a], [b]) => a.localeCompare(b)))
    console.log(`  ${name.padEnd(50)}${String(times).padStart(9)}`);
}
