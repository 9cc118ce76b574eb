import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EmbeddedOptions } from '../../envoy/embedded/index.ts';
import { EngineError } from '../../common/engine-error.ts';
import type { Exit, RunningEngine } from '../../envoy/engine/running.ts';

/** What the process says. */
export type Told =
  | { event: 'loaded' }
  | { event: 'ready'; version: string; adminUrl: string; listeners: readonly (readonly [string, string])[] }
  | { event: 'error'; message: string; kind: EngineError['kind']; details: readonly string[] }
  | { event: 'exit'; exit: Exit };

/** What runs in that process, see compile-embedded.ts. */
export const embeddedChild = fileURLToPath(new URL('../../build/embedded-child.mjs', import.meta.url));

/**
 * The embedded engine as its users run it: apart from their clients. (On Node 20 they were not stable
 * in one process; with a process for each they are.)
 * @throws EngineError as `startEmbedded` does
 */
export async function startEmbeddedProcess(options: Omit<EmbeddedOptions, 'signal'>): Promise<RunningEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-embedded-'));
  const logFile = join(folder, 'log');
  const child = fork(embeddedChild, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  });
  const exited = once(child, 'exit').then(([code, signal]): Exit => {
    log = readLog(); // may be asked for afterwards
    rmSync(folder, { recursive: true });
    return { code: code as Exit['code'], signal: signal as Exit['signal'] };
  });
  let log: string | undefined;
  const readLog = (): string => {
    try {
      return readFileSync(logFile, 'utf8');
    } catch {
      return ''; // it ended before it had a log
    }
  };
  const told = async (): Promise<Told> => {
    const gone = exited.then(({ code, signal }) => {
      throw new EngineError(`the embedded engine ended by itself: ${signal ?? `exit code ${String(code)}`}`);
    });
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [Told];
    return message;
  };
  await told();
  const answer = told();
  child.send({ ...options, logFile });
  const outcome = await answer;
  if (outcome.event === 'error') throw new EngineError(outcome.message, outcome.kind, outcome.details);
  if (outcome.event !== 'ready') throw new Error(`the embedded engine said ${outcome.event} before it was ready`);
  return {
    pid: child.pid ?? 0,
    version: outcome.version,
    adminUrl: outcome.adminUrl,
    listeners: new Map(outcome.listeners),
    log: () => log ?? readLog(),
    exited,
    stop: async () => {
      if (child.connected) child.send('stop');
      await exited;
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
