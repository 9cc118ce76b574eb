// Writes what the cases expect anew, from what the built module does: `npx tsx test/filter/update.ts [FILE.md …]`.
// For changes that move many blocks at once; each moved line is then read in `git diff` before it is believed.
import { readFileSync, writeFileSync } from 'node:fs';
import { allCases, caseFile, type Exchange, PART } from './cases.ts';
import { whole } from './messages.ts';
import { run, type Seen } from './scenario.ts';

const asked = process.argv.slice(2);
const cases = allCases().filter(({ file }) => asked.length === 0 || asked.includes(file));
const expected = ['outcome', 'calls', 'telemetry'] as const;

for (const file of new Set(cases.map((given) => given.file))) {
  const seen = new Map<Exchange, Seen>();
  for (const given of cases.filter((each) => each.file === file)) {
    for (const [index, outcome] of run(given, whole).entries()) {
      const exchange = given.exchanges[index];
      if (exchange !== undefined) seen.set(exchange, outcome);
    }
  }
  const exchanges = seen.entries();
  const text = readFileSync(caseFile(file), 'utf8');
  let inCase = false;
  let current: Seen | undefined;
  const updated = text.replace(PART, (part, title?: string, kind?: string) => {
    if (title !== undefined) inCase = true;
    else if (inCase && kind === 'request') current = exchanges.next().value?.[1];
    const block = expected.find((name) => name === kind);
    return block === undefined || current === undefined ? part : `\`\`\`${block}\n${current[block]}\n\`\`\``;
  });
  if (updated !== text) {
    writeFileSync(caseFile(file), updated);
    process.stdout.write(`updated ${file}\n`);
  }
}
