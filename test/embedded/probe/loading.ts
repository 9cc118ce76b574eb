import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { probeBootstrap } from './bootstrap.ts';
import { block } from './cases.ts';
import type { ProbeEngine } from './engine.ts';

export const loadingFile = new URL('loading.md', import.meta.url);

/** A module, and what Envoy says about it. */
export interface Loading {
  readonly title: string;
  readonly bytes: Uint8Array;
  readonly accepted: boolean;
  /** The errors in Envoy's log, a line each. */
  readonly said: string;
}

/** The modules of loading.md. */
export function allLoadings(): Loading[] {
  const loadings: { title: string; bytes: Uint8Array; accepted: boolean; said: string }[] = [];
  for (const [, title, kind, of = '', content = ''] of readFileSync(loadingFile, 'utf8').matchAll(block)) {
    const current = loadings.at(-1);
    if (title !== undefined) loadings.push({ title, bytes: new Uint8Array(), accepted: false, said: '' });
    else if (current === undefined) throw new Error(`a block of ${kind ?? ''} above the first module`);
    else if (kind === 'loaded' || kind === 'refused') {
      current.accepted = kind === 'loaded';
      current.said = content.slice(0, -1);
    } else current.bytes = kind === 'wat' ? assembled(content, of) : Buffer.from(content.slice(0, -1));
  }
  return loadings;
}

function assembled(text: string, of: string): Uint8Array {
  const parsed = binaryen.parseText(text);
  const bytes = parsed.emitBinary();
  parsed.dispose();
  const size = /^cut (\d+)$/.exec(of)?.[1];
  return size === undefined ? bytes : bytes.subarray(0, Number(size));
}

export interface Judged {
  readonly accepted: boolean;
  readonly said: string;
}

/** Routes name clusters, and a configuration without these is refused. */
const nowhere = { one: 1, two: 1, h2: 1, refused: 1 };

/** Asks an engine about a module. @param folder where its file may lie */
export async function judge(engine: ProbeEngine, { bytes }: Loading, folder: string): Promise<Judged> {
  const file = join(folder, 'module.wasm');
  writeFileSync(file, bytes);
  const setup = { filters: [{ root_id: 'a', script: 'configured' }] };
  const { accepted, said } = await engine.validate(probeBootstrap(file, [{ name: 'l0', setup }], nowhere));
  return { accepted, said: errorsIn(said) };
}

const error = /\[error\]\[wasm\](?: \[source[^\]]*\])? (.*)/;

/** Each error once: every VM has its own. */
function errorsIn(log: string): string {
  const lines = log.split('\n').map((line) => error.exec(line));
  return [...new Set(lines.map((match) => match?.[1]).filter((line) => line !== undefined))].join('\n');
}
