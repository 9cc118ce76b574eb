import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Header, pack } from 'tar-stream';
import { main } from '../../cli/main.ts';
import type { Io } from '../../cli/io.ts';
import { clone } from '../launcher/support.ts';

export const runs = promisify(execFile);

export interface Told {
  readonly code: number;
  readonly events: readonly Record<string, unknown>[];
}

/** Runs a command in this process, and gives what it tells as JSON. */
export async function sluice(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Told> {
  let out = '';
  const io: Io = { out: (text) => void (out += text), err: () => undefined, interactive: false, env };
  const [name = '', ...rest] = args;
  const code = await main([name, '--json', ...rest], io);
  const lines = out.split('\n').filter((line) => line !== '');
  return { code, events: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/** What a command told of the event that has a message; empty where there was none. */
export function messageOf({ events }: Told, wanted: 'error' | 'warning'): string {
  const found = events.find(({ event }) => event === wanted) as { message: string } | undefined;
  return found?.message ?? '';
}

/** The message of the error that ended a command. */
export function errorOf(told: Told): string {
  return messageOf(told, 'error');
}

/** A folder that its maker removes. */
export function folder(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-bundle-'));
}

export function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** A bundle of this clone. */
export async function bundleInto(path: string, ...options: string[]): Promise<{ file: string; sha256: string }> {
  const file = join(path, 'sluice.tar');
  const { stdout } = await runs(process.execPath, [
    join(clone, 'bin/sluice.mjs'),
    'bundle',
    '--json',
    '--out',
    file,
    ...options,
  ]);
  const { sha256 } = JSON.parse(stdout) as { sha256: string };
  return { file, sha256 };
}

/** The programs of a machine that has Node and nothing of npm: a folder for PATH. */
export function pathWithNodeOnly(into: string): string {
  const programs = ['sh', 'dirname', 'readlink', 'sleep', 'ip', 'cat'];
  symlinkSync(process.execPath, join(into, 'node'));
  for (const name of programs) {
    const found = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map((place) => join(place, name));
    const program = found.find((path) => readable(path));
    if (program !== undefined) symlinkSync(program, join(into, name));
  }
  return into;
}

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** All files of a folder, by their path in it. */
export function filesIn(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(path.length + 1))
    .sort();
}

export type Entry = readonly [Partial<Header> & { name: string }, Buffer | string];

export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  const chunks: Buffer[] = [];
  const read = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const [header, content] of entries) archive.entry(header, content);
  archive.finalize();
  await read;
  return Buffer.concat(chunks);
}
