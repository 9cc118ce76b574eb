// The table of docs/scaling.md, made of the model.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { type Fleet, type Row, room, rows } from './model.ts';

export const pageFile = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url));

/** The fleet that the page is about: each client calls once in ten seconds, and one in ten has a stream open. */
export const fleet: Fleet = {
  gateways: 1000,
  sessions: 10_000,
  servers: 10,
  calls: 0.1,
  streams: 1000,
  listTtl: 60,
};

const [begin, end] = ['<!-- table: npx tsx test/scaling/update-page.ts -->', '<!-- end of the table -->'];

/** The page with the table of today's model in it. */
export async function pageOfToday(): Promise<string> {
  const written = readFileSync(pageFile, 'utf8');
  const [before, behind] = [written.split(begin)[0] ?? '', written.split(end)[1] ?? ''];
  const ordered = [...rows].sort((a, b) => room(a, fleet) - room(b, fleet));
  const lines = ordered.map((row) => `| ${[row.what, row.formula, valueOf(row), roomOf(row), row.turn].join(' | ')} |`);
  const table = ['| what | formula | this fleet | room | what to turn |', '|---|---|---|---|---|', ...lines].join('\n');
  const page = `${before}${begin}\n\n${table}\n\n${end}${behind}`;
  return format(page, { ...(await resolveConfig(pageFile)), filepath: pageFile });
}

function valueOf(row: Row): string {
  return `${rounded(row.of(fleet))} ${row.unit}`.trim();
}

/** How far a row is from its bound. */
function roomOf(row: Row): string {
  if (row.bound === undefined) return 'no bound';
  const times = room(row, fleet);
  return `${times < 1 ? '**' : ''}× ${rounded(times)}${times < 1 ? '**' : ''} to ${row.bound.what}`;
}

/** Two digits that count. */
function rounded(value: number): string {
  return Number(value.toPrecision(2)).toLocaleString('en-US', { maximumFractionDigits: 4 });
}
