// What all commands of `sluice` have in common: options, `--help`, `--json`, progress, errors and exit codes.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { didYouMean } from '../common/nearest.ts';
import { CommandError, type Io, exitCode } from './io.ts';
import { withAdvice } from './file-errors.ts';

type Flags = NonNullable<ParseArgsConfig['options']>;

/** The values of a command's own flags, typed after their definition. */
export type Values<F extends Flags> = ReturnType<
  typeof parseArgs<{ options: F; strict: true; allowPositionals: true }>
>['values'];

/** What a command tells: a line of JSON each with `--json`, else words for people. */
interface CommandEvent {
  readonly event: string;
}

interface ErrorEvent extends CommandEvent {
  readonly event: 'error';
  readonly message: string;
  /** Lines that prove it. */
  readonly details?: readonly string[];
}

export interface Context<Event extends CommandEvent> {
  readonly io: Io;
  readonly emit: (event: Event) => void;
  /** For a person who waits at a terminal. */
  readonly progress: (line: string) => void;
  /** Tells an error that ends the command, while there is still something to be ended. Returns the exit code. */
  readonly fail: (error: unknown) => number;
}

interface Definition<F extends Flags, Options, Event extends CommandEvent> {
  readonly name: string;
  /** What `--help` prints. */
  readonly usage: string;
  /** `--help` and `--json` come to them. */
  readonly flags: F;
  /** Checks what is given. Throws an Error whose message names the flag. */
  readonly read: (values: Values<F>, positionals: readonly string[]) => Options;
  /** False: what is no flag is refused. */
  readonly takesArguments: boolean;
  /** Prints events for people. Errors are printed for all commands alike. */
  readonly print: (io: Io) => (event: Event) => void;
  /** Does it, and returns the exit code. */
  readonly run: (options: Options, context: Context<Event>) => Promise<number>;
  /** Whether an error that is no `CommandError` lies in what was given (exit code 1), and not in the machine (3). */
  readonly isFound?: (error: unknown) => boolean;
}

export interface Command<Options> {
  readonly usage: string;
  /**
   * @returns undefined where `--help` is among them
   * @throws CommandError (wrong use) that names the flag
   */
  readonly parse: (args: readonly string[]) => Options | undefined;
  /** Runs it. Returns the exit code and never throws. */
  readonly run: (args: readonly string[], io: Io) => Promise<number>;
}

const commonFlags = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export function command<const F extends Flags, Options, Event extends CommandEvent>(
  definition: Definition<F, Options, Event>,
): Command<Options> {
  const { name, usage, flags, takesArguments } = definition;
  /** @returns undefined where `--help` is among them */
  const parse = (args: readonly string[]): Options | undefined => {
    try {
      const options = { ...flags, ...commonFlags };
      const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: takesArguments });
      if ((values as { help?: boolean }).help === true) return undefined;
      refuseEmpty(values);
      return definition.read(values, positionals);
    } catch (error) {
      // Node adds a piece of advice for what begins with a dash and is no option: nothing here does.
      const line = (error as Error).message.replaceAll('\n', ' ').replace(/\. To specify a positional argument .*/, '');
      const [, unknown] = /^Unknown option '--([^']+)'/.exec(line) ?? [];
      const hint = unknown === undefined ? '' : didYouMean(unknown, Object.keys({ ...flags, ...commonFlags }));
      throw new CommandError(`${line}${hint} (sluice ${name} --help lists the options)`, exitCode.usage);
    }
  };
  const run = async (args: readonly string[], io: Io): Promise<number> => {
    // Looked for before the options are parsed, so that their errors are JSON too.
    const json = args.includes('--json');
    const emit = json ? jsonLines(io) : definition.print(io);
    const fail = (error: unknown): number => {
      const { details = [] } = error as { details?: readonly string[] };
      const message = withAdvice(error as Error);
      const told: ErrorEvent = { event: 'error', message, ...(details.length > 0 && { details }) };
      if (json) jsonLines(io)(told);
      else io.err(`sluice ${name}: ${[message, ...details.map((line) => `  ${line}`)].join('\n')}\n`);
      if (error instanceof CommandError) return error.exitCode;
      return definition.isFound?.(error) === true ? exitCode.found : exitCode.environment;
    };
    const progress = (line: string): void => {
      if (io.interactive) io.err(`${line}\n`);
    };
    try {
      const options = parse(args);
      if (options !== undefined) return await definition.run(options, { io, emit, progress, fail });
      io.out(usage);
      return exitCode.ok;
    } catch (error) {
      return fail(error);
    }
  };
  return { usage, parse, run };
}

/**
 * No option means anything where it is empty, and a folder of that name would be the current one: `--into "$DIR"` without DIR.
 * @throws Error that names the flag
 */
function refuseEmpty(values: Readonly<Record<string, unknown>>): void {
  const empty = Object.keys(values).find((name) => [values[name]].flat().includes(''));
  if (empty !== undefined) throw new Error(`--${empty} is empty: give it a value; a variable that is not set has none`);
}

/** One JSON object per line, and nothing else on stdout. */
function jsonLines(io: Io): (event: CommandEvent) => void {
  return (event) => {
    io.out(`${JSON.stringify(event)}\n`);
  };
}
