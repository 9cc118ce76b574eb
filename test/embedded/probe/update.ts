// Rewrites what is expected in cases/*.md from what a real Envoy does, and from nothing else:
//     ENVOY_PATH=… npx tsx test/embedded/probe/update.ts [file.md …]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, type Expected, allCases, block, caseFiles, folder } from './cases.ts';
import { envoyEngine } from './engine.ts';
import { actual, grouped, shapesOf, shapesOfBlock } from './expected.ts';
import { allLoadings, judge, loadingFile } from './loading.ts';
import { type Run, startRun } from './run.ts';
import type { ShapeName } from './shapes.ts';

const binary = process.env['ENVOY_PATH'];
if (binary === undefined) throw new Error('ENVOY_PATH has to name the Envoy whose word counts');
const files = process.argv.length > 2 ? process.argv.slice(2) : caseFiles();
const cases = allCases(files);
const engine = envoyEngine(binary);
await rewriteLoading();
const run = await startRun(engine, cases, false);
try {
  const blocks = new Map<Case, Expected[]>();
  const waiting = [...cases];
  const work = async (): Promise<void> => {
    for (let given = waiting.shift(); given !== undefined; given = waiting.shift()) {
      blocks.set(given, await blocksFor(run, given));
    }
  };
  await Promise.all([work(), work(), work(), work(), work()]);
  for (const file of files) rewrite(file, blocks);
} finally {
  await run.stop();
}

async function blocksFor(on: Run, given: Case): Promise<Expected[]> {
  const seen = await on.of(given);
  const kinds = [...new Set(given.expected.map(({ kind }) => kind))];
  const made: Expected[] = [];
  for (const kind of kinds) {
    const written = given.expected.filter((each) => each.kind === kind);
    if (kind === 'outcome' || kind === 'trace') {
      const about = new Set(written.flatMap((each) => shapesOfBlock(given, each)));
      const texts = new Map<ShapeName, string>();
      for (const [shape, each] of seen) if (about.has(shape)) texts.set(shape, each[kind]);
      made.push(...grouped(kind, texts, shapesOf(given).length));
    } else if (kind === 'log') made.push(...written);
    else for (const each of written) made.push({ ...each, text: await actual(on, given, each) });
  }
  return made;
}

/** Puts each kind's blocks in the place of the first of them. */
function rewrite(file: string, blocks: ReadonlyMap<Case, readonly Expected[]>): void {
  const url = new URL(file, folder);
  let title = '';
  let placed = new Set<string>();
  const text = readFileSync(url, 'utf8').replace(block, (whole: string, heading?: string, kind?: string) => {
    if (heading !== undefined) {
      title = heading;
      placed = new Set();
      return whole;
    }
    const [, made = []] = [...blocks].find(([given]) => given.file === file && given.title === title) ?? [];
    const own = made.filter((each) => each.kind === kind);
    if (own.length === 0) return whole;
    if (kind === undefined || placed.has(kind)) return '';
    placed.add(kind);
    return own.map((each) => fence(each)).join('\n\n');
  });
  writeFileSync(url, `${text.replaceAll(/\n{3,}/g, '\n\n').trimEnd()}\n`);
}

async function rewriteLoading(): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
  let text = readFileSync(loadingFile, 'utf8');
  for (const loading of allLoadings()) {
    const { accepted, said } = await judge(engine, loading, temporary);
    const kind = accepted ? 'loaded' : 'refused';
    const from = text.indexOf(`### ${loading.title}\n`);
    const outcome = fence({ kind, of: '', text: said });
    text = text.slice(0, from) + text.slice(from).replace(/^```(?:loaded|refused)\n[^]*?^```$/m, () => outcome);
  }
  writeFileSync(loadingFile, text);
  rmSync(temporary, { recursive: true });
}

function fence({ kind, of, text }: { kind: string; of: string; text: string }): string {
  return `\`\`\`${kind}${of === '' ? '' : ` ${of}`}\n${text === '' ? '' : `${text}\n`}\`\`\``;
}
