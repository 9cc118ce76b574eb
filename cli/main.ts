import type { Command } from './command.ts';
import { version } from '../common/home.ts';
import { didYouMean } from '../common/nearest.ts';
import { type Io, exitCode, processIo } from './io.ts';

interface Entry {
  readonly summary: string;
  /** Imported when it runs: `sluice serve` does not wait for what `start` needs. */
  readonly load: () => Promise<Pick<Command<unknown>, 'run'>>;
}

const commands: Readonly<Record<string, Entry>> = {
  start: {
    summary: 'the quick start: plugin server, gateway, and two demo MCP servers where none is named',
    load: async () => (await import('./start/command.ts')).start,
  },
  serve: {
    summary: 'the plugin server',
    load: async () => (await import('./serve/command.ts')).serve,
  },
  publish: {
    summary: 'puts a module on a plugin server',
    load: async () => (await import('./publish/command.ts')).publish,
  },
  import: {
    summary: 'takes modules out of images and archives that were carried in',
    load: async () => (await import('./import/command.ts')).importModules,
  },
  bundle: {
    summary: 'this Sluice as one file, to be carried to where there is no network',
    load: async () => (await import('./bundle/command.ts')).bundle,
  },
  load: {
    summary: 'verifies and unpacks such a file',
    load: async () => (await import('./load/command.ts')).load,
  },
  rollback: {
    summary: 'gives a gateway an earlier version of its live configuration',
    load: async () => (await import('./rollback/command.ts')).rollback,
  },
  check: {
    summary: 'everything that is wrong with configurations: plugin, Envoy, Istio, live delivery',
    load: async () => (await import('./check/command.ts')).check,
  },
  lock: {
    summary: 'pins the definitions of the tools of a running gateway, and says what changed',
    load: async () => (await import('./lock/command.ts')).lock,
  },
  doctor: {
    summary: 'what is wrong with a gateway that runs, how that is known, and what to do',
    load: async () => (await import('./doctor/command.ts')).doctor,
  },
  render: {
    summary: 'a gateway as YAML for Envoy, Istio, Envoy Gateway, Kubernetes; tools from an OpenAPI description',
    load: async () => (await import('./render/command.ts')).render,
  },
  keygen: {
    summary: 'keys for sessions, and for signatures',
    load: async () => (await import('./keygen/command.ts')).keygen,
  },
  help: {
    summary: 'this text',
    load: () => Promise.resolve({ run: (_, io) => Promise.resolve(help(io)) }),
  },
};

/**
 * Runs a command line.
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 ok, 1 found something, 2 wrong use, 3 the environment lacks something
 */
export async function main(argv: readonly string[], io: Io = processIo): Promise<number> {
  const [name = 'help', ...args] = argv;
  if (name === '--version' || name === '-v') {
    io.out(`${version}\n`);
    return exitCode.ok;
  }
  const entry = name === '--help' || name === '-h' ? commands['help'] : own(name);
  if (entry === undefined) {
    const names = Object.keys(commands);
    const hint = didYouMean(name, names);
    io.err(`sluice: there is no command ${JSON.stringify(name)}; there are ${names.join(', ')}${hint}\n`);
    return exitCode.usage;
  }
  return (await entry.load()).run(args, io);
}

function own(name: string): Entry | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

function help(io: Io): number {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`);
  io.out(`usage: sluice <command> [options]\n\n${rows.join('\n')}\n\nsluice <command> --help lists its options.\n`);
  return exitCode.ok;
}
