import fs, { type promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Call = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/** The calls that change what is on disk, or read it, on the way of a publication. */
const calls = ['open', 'link', 'rename', 'unlink', 'mkdir', 'readFile', 'stat'] as const;
const handleCalls = ['writeFile', 'sync', 'close'] as const;

/**
 * Runs `work` until its calls to the file system below `folder` have come to `step`; from there on no call does anything
 * or returns, as if the process had been killed. Each call is two steps: before it, and after it; of a write the second
 * one is in the middle. Returns whether `work` came to its end before.
 */
export async function endingAt(step: number, folder: string, work: () => Promise<unknown>): Promise<boolean> {
  let steps = 0;
  let stopped: () => void = () => undefined;
  const end = new Promise<false>((resolve) => {
    stopped = () => {
      resolve(false);
    };
  });
  const never = new Promise<never>(() => undefined);
  const stop = (): Promise<never> => {
    stopped();
    return never;
  };
  const counted = (real: Call, half: Call = real): Call =>
    async function (...args) {
      if (steps++ >= step) return stop();
      if (steps++ < step) return real.apply(this, args);
      await half.apply(this, args).catch(() => undefined);
      return stop();
    };

  const real = { ...fs.promises };
  /** The end of a process closes its files. */
  const closings: (() => Promise<unknown>)[] = [];
  const replaced = fs.promises as unknown as Record<string, Call>;
  for (const name of calls) {
    const original = real[name] as unknown as Call;
    const watched = counted(async (...args) => {
      const result = await original(...args);
      if (name === 'open') closings.push((result as promises.FileHandle).close.bind(result));
      return result;
    });
    replaced[name] = async function (...args) {
      if (!String(args[0]).startsWith(folder)) return original.apply(this, args);
      const result = await watched.apply(this, args);
      if (name === 'open') watchHandle(result as promises.FileHandle, counted);
      return result;
    };
  }
  syncBuiltinESMExports();
  try {
    return await Promise.race([end, work().then(() => true)]);
  } finally {
    Object.assign(fs.promises, real);
    syncBuiltinESMExports();
    for (const close of closings) await close().catch(() => undefined);
  }
}

function watchHandle(handle: promises.FileHandle, counted: (real: Call, half?: Call) => Call): void {
  const halfOf: Call = (content) => handle.write(Buffer.from(content as Buffer).subarray(0, 10));
  for (const name of handleCalls) {
    const original = (handle[name] as unknown as Call).bind(handle);
    Object.defineProperty(handle, name, { value: counted(original, name === 'writeFile' ? halfOf : original) });
  }
}
