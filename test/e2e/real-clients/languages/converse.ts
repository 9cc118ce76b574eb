// One conversation with a gateway, the same in each language. The program gets a plan in JSON as its argument, and prints a
// line of JSON for each stage: what it got; that its call was cancelled; what it got after the servers had lost their
// sessions. It goes on to the next stage with each line that it reads.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Plan {
  readonly url: string;
  /** Whether it opens a session, or asks the gateway which eras it speaks. */
  readonly mode: 'session' | 'auto';
  /** What it answers where it is asked for input. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly servers: readonly {
    /** A tool and a prompt. */
    readonly same: string;
    /** A resource. */
    readonly uri: string;
    /** A prompt with arguments. */
    readonly completes: string;
    /** A tool that reports progress. */
    readonly progress: string;
    /** Tools that ask, with their arguments. */
    readonly asks: readonly (readonly [string, object])[];
  }[];
  /** The tool whose call is cancelled. */
  readonly waits: string;
}

/** The same of a program that waits for changed lists. */
export interface ListeningPlan {
  readonly url: string;
  /** How many streams it asks for before it says so. */
  readonly times: number;
}

export interface Heard {
  readonly revision: string;
  readonly tools: number;
  readonly prompts: number;
  readonly resources: readonly string[];
  readonly templates: readonly string[];
  readonly servers: readonly object[];
}

export interface Conversation {
  /** @returns the next line that the program prints @throws Error with its error output, where it ends before that */
  next(): Promise<unknown>;
  /** Lets it go on. */
  goOn(): void;
  /** @returns the exit code */
  end(): Promise<number | null>;
  kill(): void;
}

/** @param plan what the program gets, in JSON */
export function beginConversation(command: readonly string[], plan: Plan | ListeningPlan): Conversation {
  const [program = '', ...args] = command;
  const child = spawn(program, [...args, JSON.stringify(plan)], { stdio: 'pipe' });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = once(child, 'close') as Promise<[number | null]>;
  let errors = '';
  child.stderr.on('data', (part) => (errors += String(part)));
  return {
    next: async () => {
      const line = await lines.next();
      if (line.done === true) throw new Error(`the program has ended: ${errors.slice(-4_000)}`);
      return JSON.parse(line.value) as unknown;
    },
    goOn: () => void child.stdin.write('\n'),
    end: async () => (await closed)[0],
    kill: () => void child.kill('SIGKILL'),
  };
}
