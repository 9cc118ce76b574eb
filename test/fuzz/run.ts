// `npm run fuzz`: ten million message bodies, and a tenth of that of everything else that strangers send, through the
// module. `npm run fuzz -- --target tokens --attempts 1000 --seed 7` draws one target again. Exit code 1 where one is wrong.
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

const { values } = parseArgs({
  options: {
    target: { type: 'string' },
    attempts: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});

Error.stackTraceLimit = 0; // JSON.parse throws for half of all inputs

let isSound = true;
for (const name of values.target === undefined ? Object.keys(targets) : [values.target]) {
  const attempts = Number(values.attempts) / (name === 'bodies' || values.target !== undefined ? 1 : 10);
  const began = process.cpuUsage();
  const {
    outcomes,
    failure,
    attempts: done,
  } = fuzz(name, attempts, Number(values.seed), (count) => {
    process.stderr.write(`${name}: ${count} of ${attempts}\r`);
  });
  const { user, system } = process.cpuUsage(began);
  const each = (user + system) / Math.max(done, 1);
  console.log(`${name}: ${done} of seed ${values.seed}, ${each.toFixed(1)} µs each`);
  for (const [outcome, count] of [...outcomes].sort())
    console.log(`  ${outcome.padEnd(24)}${String(count).padStart(10)}`);
  if (failure === undefined) continue;
  isSound = false;
  console.log(failure);
}
process.exit(isSound ? 0 : 1);
