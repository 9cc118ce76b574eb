import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientCells, rowCells } from './clients.ts';
import { instance, NONE } from './core.ts';
import { type ErrorRow, errorRows } from './error-rows.ts';

const core = instance();

type Row = ErrorRow;

const rows = errorRows(core);

type Part = Uint8Array | string | undefined;

function write(row: Row, parts: { id?: Part; detail?: Part; server?: Part; more?: Part } = {}): string {
  const span = (part: Part): readonly [number, number] => (part === undefined ? NONE : core.span(part));
  const { id, detail, server, more } = parts;
  const text = core.text('errorsWrite', row.index, ...span(id), ...span(detail), ...span(server), ...span(more));
  core.clear();
  return text ?? '';
}

test('the documentation has the rows of the table, in its order', () => {
  const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const documented = [...docs.matchAll(/^\| `(\w+)` +\| (\d+)(?: \((\d+)\))? +\| (-\d+) +\| .+ \| .+ \|$/gm)];
  expect(
    documented.map(([, reason, status, without, code]) => [
      reason,
      Number(status),
      Number(without ?? status),
      Number(code),
    ]),
  ).toEqual(rows.map(({ reason, status, statusWithoutId, code }) => [reason, status, statusWithoutId, code]));
});

test('the documentation says what clients do with every row', () => {
  const docs = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const [, section = ''] = docs.split('## What clients do with them\n');
  const tables = [...section.matchAll(/(?:^\|.*\n)+/gm)].map(([table]) =>
    table
      .trimEnd()
      .split('\n')
      .map((line) =>
        line
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      )
      .filter((_, index) => index !== 1),
  );
  expect(tables).toEqual([clientCells(), rowCells(rows)]);
});

test('codes of our own are outside of what JSON-RPC reserves, and the others are defined there or by MCP', () => {
  // The last one: SEP-3415.
  const defined = [-32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32020, -32021, -32022, -32023];
  for (const { reason, code } of rows) {
    expect(defined.includes(code) || code < -32768 || code > -32000, reason).toBe(true);
  }
});

test('a code of our own is that of one reason alone', () => {
  const own = [...new Set(rows.filter(({ code }) => code < -31000 && code > -32000).map(({ code }) => code))];
  const reasonsOf = (wanted: number): string[] => [
    ...new Set(rows.filter(({ code }) => code === wanted).map(({ reason }) => reason)),
  ];
  expect(own.map(reasonsOf).filter((reasons) => reasons.length > 1)).toEqual([]);
});

test('an answer without an id never has the status of one that worked', () => {
  for (const { reason, statusWithoutId } of rows) expect(statusWithoutId, reason).toBeGreaterThanOrEqual(400);
});

test('only the end of a session is told without the id of the request', () => {
  expect(rows.filter(({ withholdsId }) => withholdsId).map(({ reason }) => reason)).toEqual(['session_unknown']);
});

test.each(rows)('$reason ($code) is a JSON-RPC error', (row) => {
  const detail = 'a "detail"\n\\ %';
  const error = JSON.parse(write(row, { id: '"7"', detail, server: 'weather' })) as unknown;
  expect(error).toEqual({
    jsonrpc: '2.0',
    id: row.withholdsId ? null : '7',
    error: {
      code: row.code,
      message: row.message.replace('%', () => detail),
      data: { reason: row.reason, server: 'weather' },
    },
  });
});

test.each(rows)('$reason ($code) says what to do in one gap and whole sentences', ({ message }) => {
  expect(message.split('%').length).toBeLessThanOrEqual(2);
  expect(message).toMatch(/^[^]+\. [A-Z][^]+\.$/);
});

test.each(rows)('$reason ($code) needs no id, no server and no detail', (row) => {
  expect(JSON.parse(write(row))).toEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: row.code, message: row.message.replace('%', ''), data: { reason: row.reason } },
  });
});

const [first] = rows as [Row];

test('the id is repeated byte for byte', () => {
  for (const id of ['9007199254740993', '-0', '"\\u0061"', '""']) {
    expect(write(first, { id })).toMatch(`{"jsonrpc":"2.0","id":${id},`);
  }
});

test('more members of data follow the reason', () => {
  const error = JSON.parse(write(first, { more: ',"supported":["a"]' })) as { error: { data: unknown } };
  expect(error.error.data).toEqual({ reason: first.reason, supported: ['a'] });
});

test('an error is JSON whatever bytes its detail has', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (detail) => {
      expect(JSON.parse(write(first, { detail }))).toMatchObject({ error: { code: first.code } });
    }),
    { numRuns: 500 },
  );
});
