import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, inject, onTestFinished } from 'vitest';
import type { StartEvent } from '../../cli/start/events.ts';

export const clone = fileURLToPath(new URL('../..', import.meta.url));

const envoy = inject('envoy');

export const hasEnvoy = envoy !== null;

/** Tests that need a real Envoy; test/setup.ts says loudly that they are skipped, and fails in CI. */
export const describeWithEnvoy = describe.skipIf(!hasEnvoy);

/** The Envoy of `describeWithEnvoy`. */
export function envoyBinary(): string {
  if (envoy === null) throw new Error('this test belongs into describeWithEnvoy');
  return envoy.path;
}

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export interface Sluice {
  readonly pid: number;
  /** The next event; rejects when the process ends, or 40 s pass, before there is one. */
  next(): Promise<StartEvent>;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Everything that it wrote to stdout, and to stderr. */
  readonly said: { out: string; err: string };
}

/** Runs `sluice <args>` as a user does; it is stopped at the end of the test, if it is still there. */
export function runSluice(args: readonly string[], env: Readonly<Record<string, string>> = {}): Sluice {
  const child = spawn(process.execPath, [join(clone, 'bin/sluice.mjs'), ...args], {
    cwd: tmpdir(), // no command may depend on where it is called
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<Awaited<Sluice['exited']>>((resolve) => {
    child.once('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const said = { out: '', err: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  const lines: string[] = [];
  let wake: () => void = () => undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.out += `${line}\n`;
    lines.push(line);
    wake();
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    const deadline = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(deadline);
  });
  const next = async (): Promise<StartEvent> => {
    const deadline = AbortSignal.timeout(40_000);
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return JSON.parse(line) as StartEvent;
      const ended = await Promise.race([
        exited.then(() => lines.length === 0),
        new Promise<false>((resolve) => {
          wake = () => {
            resolve(false);
          };
        }),
        once(deadline, 'abort').then(() => true),
      ]);
      if (ended) throw new Error(`sluice ${args.join(' ')} said nothing more; stderr: ${said.err}`);
    }
  };
  return { pid: child.pid ?? 0, next, signal: (name) => child.kill(name), exited, said };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** The process and all that it started, directly or not. */
export function processTree(root: number): Process[] {
  const rows = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
  const processes = rows.map((row): Process => {
    const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
    return { pid: Number(pid), parent: Number(parent), command };
  });
  const tree = processes.filter(({ pid }) => pid === root);
  // `tree` grows while it is walked.
  for (const { pid } of tree) tree.push(...processes.filter(({ parent }) => parent === pid));
  return tree;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
