// How fast the scanner passes over what is in the arguments of a call, in Node's V8:
//
//     npx tsx test/bench/scan.ts [OTHER.wasm]     OTHER.wasm: a core.wasm of another build, measured in turns
import { readFile } from 'node:fs/promises';
import { type Core, instance, instanceOf } from '../core/core.ts';

const SIZE = 2 << 20;
/** Of Envoy's reads. */
const CHUNK = 16 << 10;
const ROUNDS = 21;
const INVALID = 1;

/** JSON values of about `size` bytes in a list, one for each number. */
function listOf(value: (index: number) => unknown, size = SIZE, indent?: number): string {
  const values: unknown[] = [];
  for (let length = 0; length < size;)
    length += JSON.stringify(values[values.push(value(values.length)) - 1]).length + 1;
  return JSON.stringify(values, undefined, indent);
}

const sentence = 'The scanner passes over the text of an argument without a copy, and checks each byte of it. ';
const code = 'export function sum(all: readonly number[]): number {\n\tlet total = 0; // "none"\n\treturn total;\n}\n';
const russian = 'Сканер проверяет каждый байт текста и ничего не копирует. ';
const chinese = '扫描器检查文本的每个字节，不做任何复制。😀';
const escaped = (text: string): string =>
  text.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const record = (index: number): unknown => ({
  id: index,
  name: `n${index % 97}`,
  ok: index % 3 === 0,
  at: [index % 7, 12],
});

/** What is measured → a JSON value. */
const bodies: Readonly<Record<string, string>> = {
  'text of ASCII': listOf(() => sentence.repeat(40)),
  'text of code': listOf(() => code.repeat(40)),
  'text of two-byte characters': listOf(() => russian.repeat(40)),
  'text of three and four bytes': listOf(() => chinese.repeat(40)),
  'text of \\uXXXX': escaped(listOf(() => russian.repeat(40), SIZE / 4)),
  'short strings': listOf((index) => `v${index % 1000}`),
  'small objects': listOf(record),
  'small objects, indented': listOf(record, SIZE / 2, 2),
  'small objects with a text that has escapes': listOf((index) => ({
    number: index % 97,
    note: 'an "escape" and a line\n',
  })),
  integers: listOf((index) => (index * 7919) % 100_000),
  'fractions, as of embeddings': listOf((index) => Math.sin(index) / 10),
};

/** Scans a body in chunks. @throws Error where it is refused */
function scan(core: Core, pointer: number, length: number): void {
  core.call('scannerOpen', 2);
  let kind = 0;
  for (let at = 0; at < length; at += CHUNK) {
    core.call('scannerFeed', pointer + at, Math.min(CHUNK, length - at));
    while ((kind = core.call('scannerNext')) > INVALID);
  }
  if (kind === INVALID || core.call('scannerComplete') !== 1) throw new Error('refused');
}

const [other] = process.argv.slice(2);
const cores = [instance(), ...(other === undefined ? [] : [await instanceOf(await readFile(other))])];
const heads = ['GB/s', ...(other === undefined ? [] : ['GB/s of the other', 'ratio'])];
console.log(`| ${['body', ...heads].join(' | ')} |\n|${' --- |'.repeat(heads.length + 1)}`);
for (const [what, value] of Object.entries(bodies)) {
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"v":${value}}}}`;
  const placed = cores.map((core) => ({ core, span: core.span(body), rates: [] as number[] }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { core, span, rates } of placed) {
      const begin = performance.now();
      scan(core, ...span);
      rates.push(span[1] / (performance.now() - begin) / 1e6);
    }
  }
  // The best round: what other processes take of the machine only makes a round slower.
  const [first = NaN, second] = placed.map(({ rates }) => Math.max(...rates));
  const figures = second === undefined ? [first] : [first, second, first / second];
  console.log(`| ${[what, ...figures.map((figure) => figure.toFixed(2))].join(' | ')} |`);
  for (const core of cores) core.clear();
}
