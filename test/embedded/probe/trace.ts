import { setTimeout as sleep } from 'node:timers/promises';

/** What the probe said, by case: its lines in the host's log carry the case's name in brackets. */
export interface Traces {
  /** Callbacks and host calls of one case in their order. */
  of(name: string): readonly string[];
  /** Waits until so many lines of the case hold, at most `patience` ms. @returns whether they do */
  sees(name: string, holds: (line: string) => boolean, count: number, patience: number): Promise<boolean>;
}

const line = /wasm log[^:\n]*: \[([\w.:-]+)\] (.*)$/;

/** @param log everything that the engine has logged so far; it only grows */
export function traces(log: () => string): Traces {
  const known = new Map<string, string[]>();
  let read = 0;
  const catchUp = (): void => {
    const text = log();
    const end = text.lastIndexOf('\n') + 1; // the last line may still be on its way
    for (const each of text.slice(read, end).split('\n')) {
      const [, name, said] = line.exec(each) ?? [];
      if (name === undefined || said === undefined) continue;
      const lines = known.get(name);
      if (lines === undefined) known.set(name, [said]);
      else lines.push(said);
    }
    read = Math.max(read, end);
  };
  const of = (name: string): readonly string[] => {
    catchUp();
    return known.get(name) ?? [];
  };
  return {
    of,
    sees: async (name, holds, count, patience) => {
      const deadline = Date.now() + patience;
      while (of(name).filter(holds).length < count) {
        if (Date.now() > deadline) return false;
        await sleep(2);
      }
      return true;
    },
  };
}
