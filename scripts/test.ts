// `npm test`: every check that a change has to pass. `npm test -- <vitest arguments>` runs vitest alone.
// Whatever fails, or crashes, the last line is `N passed, N failed[, N skipped]`; each check before vitest counts as one.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BuildError, build, describeBuild } from './build.ts';

const clone = fileURLToPath(new URL('..', import.meta.url));

/** Name → the package whose program it runs, and its arguments. */
const checks = {
  'types of the tools': ['typescript', 'tsc', '-p', 'tsconfig.json'],
  'types of the module': ['typescript', 'tsc', '-p', 'filter/tsconfig.json'],
  lint: ['eslint', 'eslint', '.'],
  format: ['prettier', 'prettier', '--check', '--log-level', 'warn', '.'],
  'unused code': ['knip', 'knip'],
} as const;

interface Summary {
  passed: number;
  failed: number;
  skipped: number;
}

const summary: Summary = { passed: 0, failed: 0, skipped: 0 };
const vitestArguments = process.argv.slice(2);
try {
  if (vitestArguments.length === 0) await check();
  const failure = await buildFailure();
  count('build', failure);
  if (failure === undefined) await vitest(vitestArguments);
} catch (error) {
  count('the test driver', String((error as Error).stack));
}
const { passed, failed, skipped } = summary;
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** Two at a time: each of them uses one core. What runs behind them, Envoy more so, uses what cores there are. */
async function check(): Promise<void> {
  const waiting = Object.entries(checks);
  const next = async (): Promise<void> => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
      const [name, [owner, program, ...args]] = row;
      count(name, await quietly(programOf(owner, program), args));
    }
  };
  await Promise.all([next(), next()]);
}

/** @param failure what a failed check said; undefined where it passed */
function count(name: string, failure: string | undefined): void {
  if (failure === undefined) summary.passed++;
  else summary.failed++;
  process.stdout.write(failure === undefined ? `ok      ${name}\n` : `FAILED  ${name}\n${failure}\n`);
}

/** Programs are run from their packages: neither a shell nor PATH has a say in which one it is. */
function programOf(owner: string, program: string): string {
  const folder = join(clone, 'node_modules', owner); // not by import: some packages do not export their package.json
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: string | Record<string, string>;
  };
  const path = typeof bin === 'string' ? bin : bin[program];
  if (path === undefined) throw new Error(`${owner} has no program ${program}`);
  return join(folder, path);
}

/** Runs a program; what it says is worth reading only where it fails. */
function quietly(program: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args], { cwd: clone, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('close', (code, signal) => {
      resolve(code === 0 ? undefined : said.trim() || `ended with ${signal ?? `exit code ${String(code)}`}`);
    });
  });
}

async function buildFailure(): Promise<string | undefined> {
  try {
    process.stdout.write(`        ${describeBuild(await build())}\n`);
    return undefined;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return [error.message, ...error.details].join('\n');
  }
}

/** Runs vitest with its output, but for the summary line: that one has to be the last of all, and is added to ours. */
async function vitest(args: readonly string[]): Promise<void> {
  const env = { ...process.env, ...(process.stdout.isTTY && { FORCE_COLOR: '1' }) };
  const child = spawn(process.execPath, [programOf('vitest', 'vitest'), 'run', ...args], {
    cwd: clone,
    env,
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  const closed = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  let counted: Summary | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, ...numbers] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line) ?? [];
    if (numbers.length === 0) process.stdout.write(`${line}\n`);
    else counted = { passed: Number(numbers[0]), failed: Number(numbers[1]), skipped: Number(numbers[2] ?? 0) };
  }
  const code = await closed;
  summary.passed += counted?.passed ?? 0;
  summary.failed += counted?.failed ?? 0;
  summary.skipped += counted?.skipped ?? 0;
  if (counted === undefined || (code !== 0 && counted.failed === 0)) {
    count('vitest', `ended with exit code ${String(code)}, without a failed test: see above`);
  }
}
