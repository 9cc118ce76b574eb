import { Worker } from 'node:worker_threads';
import type { LogLevel } from '../embedded/log.ts';
import { isSource } from '../../common/home.ts';
import { limitMemory } from '../../proxy-wasm/memory-limit.ts';

/** A module and what it is to be configured with. */
export interface Order {
  readonly module: Uint8Array;
  /** The root id of the filter that it is. */
  readonly rootId: string;
  /** JSON */
  readonly configuration: string;
  readonly environment: Readonly<Record<string, string>>;
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

/** From the thread; `ready` once, then any number of lines and an end for each order. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'end'; readonly outcome: Outcome };

/** The most of the module's own memory, in pages of 64 KiB: 256 MiB. */
const mostPages = 4096;
/** The most of the thread's heap, in MiB: what the host keeps for the module is in it. */
const heap = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };
/** Until the thread is there, in ms; a machine may be busy. */
const startLimit = 60_000;

/**
 * A thread on which modules are configured, one after the other. A loop for ever, or a hunger for memory, ends the thread
 * and nothing else; the next order has a new one. Whoever made it closes it.
 */
export class ModuleThread {
  #worker: Promise<Worker> | undefined;

  /**
   * @param timeLimit of the module alone, in ms
   * @throws Error where the thread itself could not run
   */
  async run({ module, ...rest }: Order, timeLimit: number): Promise<RunResult> {
    const limited = limitMemory(module, mostPages);
    if (limited === undefined) return { outcome: { kind: 'too large' }, lines: [] };
    const lines: Line[] = [];
    try {
      this.#worker ??= startWorker();
      const worker = await this.#worker;
      const answer = answerOf(worker, (line) => lines.push(line), timeLimit);
      worker.postMessage({ module: limited, ...rest } satisfies Order);
      const outcome = await answer;
      if (outcome.kind === 'too slow' || outcome.kind === 'too large') await this.close();
      return { outcome, lines };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Nothing is left running when it returns. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await (await worker?.catch(() => undefined))?.terminate(); // one that did not start has been ended
  }
}

async function startWorker(): Promise<Worker> {
  // Plain JavaScript, in need of no loader: it brings the one for what it imports.
  const worker = new Worker(isSource ? new URL('thread.mjs', import.meta.url) : new URL('thread.js', import.meta.url), {
    resourceLimits: heap,
    execArgv: [],
    stdout: true,
    stderr: true,
  });
  try {
    await firstMessage(worker, startLimit);
    return worker;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

function firstMessage(worker: Worker, limit: number): Promise<void> {
  return listening(worker, (resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the thread that checks modules did not start within ${limit} ms`));
    }, limit);
    return {
      message: () => {
        resolve();
      },
      error: reject,
      done: () => {
        clearTimeout(timer);
      },
    };
  });
}

function answerOf(worker: Worker, onLine: (line: Line) => void, limit: number): Promise<Outcome> {
  return listening(worker, (resolve, reject) => {
    const timer = setTimeout(() => {
      resolve({ kind: 'too slow', limit });
    }, limit);
    return {
      message: (message) => {
        if (message.kind === 'line') onLine(message.line);
        else if (message.kind === 'end') resolve(message.outcome);
      },
      error: (error) => {
        if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve({ kind: 'too large' });
        else reject(error);
      },
      done: () => {
        clearTimeout(timer);
      },
    };
  });
}

interface Listener {
  readonly message: (message: Message) => void;
  readonly error: (error: Error) => void;
  /** When it is settled. */
  readonly done: () => void;
}

/** Settles by what a worker says or does, and leaves no listener behind. */
async function listening<T>(
  worker: Worker,
  listen: (resolve: (value: T) => void, reject: (error: Error) => void) => Listener,
): Promise<T> {
  let remove = (): void => undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      const { message, error, done } = listen(resolve, reject);
      const exit = (code: number): void => {
        reject(new Error(`the thread that checks modules ended by itself with code ${code}`));
      };
      worker.on('message', message).on('error', error).on('exit', exit);
      remove = () => {
        worker.off('message', message).off('error', error).off('exit', exit);
        done();
      };
    });
  } finally {
    remove();
  }
}
