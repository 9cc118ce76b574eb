import { Worker } from 'node:worker_threads';
import type { LogLevel } from '../embedded/log.ts';
import { limitMemory } from './memory-limit.ts';

export interface ModuleRun {
  readonly module: Uint8Array;
  /** JSON */
  readonly configuration: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Of the module alone, in ms. */
  readonly timeLimit: number;
}

export interface Line {
  readonly level: LogLevel;
  readonly text: string;
}

/** How it ended, and what was said until then. */
export interface RunResult {
  readonly outcome: Outcome;
  /** What the module logged itself. */
  readonly lines: readonly Line[];
}

export type Outcome =
  /** `own`: it reports what became of its configuration as Sluice does. */
  | { readonly kind: 'accepted' | 'refused'; readonly own: boolean }
  /** It is no module, or one that no Envoy could run: in Envoy's words. */
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'trapped'; readonly why: string }
  | { readonly kind: 'too slow'; readonly limit: number }
  | { readonly kind: 'too large' };

/** From the thread. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'end'; readonly outcome: Outcome };

/** To the thread. */
export interface Order {
  readonly module: Uint8Array;
  readonly configuration: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Of the module's own memory, in pages of 64 KiB: 256 MiB. */
const mostPages = 4096;
/** Of the thread's heap, in MiB: what the host keeps for the module is in it. */
const heap = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };
/** Until the thread is there, in ms; a machine may be busy. */
const startLimit = 60_000;

/**
 * Configures a module on a thread of its own. A loop for ever, or a hunger for memory, ends the thread and nothing else.
 * Nothing is left running when it returns.
 * @throws Error where the thread itself could not run
 */
export async function runModule({ module, timeLimit, ...rest }: ModuleRun): Promise<RunResult> {
  const limited = limitMemory(module, mostPages);
  if (limited === undefined) return { outcome: { kind: 'too large' }, lines: [] };
  const order: Order = { module: limited, ...rest };
  // Plain JavaScript, in need of no loader: it brings the one for what it imports.
  const worker = new Worker(new URL('thread.mjs', import.meta.url), {
    workerData: order,
    resourceLimits: heap,
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  const lines: Line[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`the thread that checks modules did not start within ${startLimit} ms`));
      }, startLimit);
      worker.on('message', (message: Message) => {
        if (message.kind === 'line') lines.push(message.line);
        else if (message.kind === 'end') resolve(message.outcome);
        else {
          clearTimeout(timer);
          timer = setTimeout(() => {
            resolve({ kind: 'too slow', limit: timeLimit });
          }, timeLimit);
        }
      });
      worker.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve({ kind: 'too large' });
        else reject(error);
      });
      worker.once('exit', (code) => {
        reject(new Error(`the thread that checks modules ended by itself with code ${code}`));
      });
    });
    return { outcome, lines };
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
