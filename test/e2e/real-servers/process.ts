// A server that is a program of another language: started, killed, and started again on the same port.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from '../../free-ports.ts';

export interface ServerProcess {
  readonly url: string;
  /** The lines that it has printed since it is ready: what its clients made happen. */
  readonly told: readonly string[];
  /** Loses all sessions: it is another process then, on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** @param command takes a name and a port, and prints `ready` once it listens there */
export async function startServer(command: readonly string[], name: string): Promise<ServerProcess> {
  const port = await freePort();
  const told: string[] = [];
  let child = await start(command, name, port, told);
  return {
    url: `http://localhost:${port}/mcp`,
    told,
    restart: async () => {
      await end(child);
      child = await start(command, name, port, told);
    },
    stop: () => end(child),
  };
}

async function start(command: readonly string[], name: string, port: number, told: string[]): Promise<ChildProcess> {
  const [program = '', ...args] = command;
  const child = spawn(program, [...args, name, String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (part) => (errors += String(part)));
  const lines = createInterface({ input: child.stdout });
  const ready = once(lines, 'line');
  const ended = once(child, 'close').then(() => {
    throw new Error(`the server has ended before it was ready: ${errors.slice(-4_000)}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => undefined); // it is ready, and ends when it is told to
  lines.on('line', (line) => told.push(line));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}
