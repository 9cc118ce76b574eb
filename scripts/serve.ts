import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type Artifact,
  type ErrorCode,
  type Listing,
  PluginServerError,
  listing,
  loadArtifact,
  loadDirectory,
  startPluginServer,
} from '../plugin-server/index.ts';
import { CommandError, type Io, exitCode } from './io.ts';

const usage = `usage: sluice serve [--listen HOST:PORT] [--data DIR] [--json]

Serves plugins over HTTP, so that Envoy can fetch them.

  --listen HOST:PORT  where to listen (default 127.0.0.1:8801; [::]:8801 for every address; port 0 for any free one)
  --data DIR          serve DIR/<name>/<version>/plugin.wasm (default: this clone's own build/plugin.wasm)
  --json              print one JSON object per line: ready, stopped, error
`;

type Event =
  | { event: 'ready'; pluginServer: string; plugins: ServedPlugin[] }
  | { event: 'stopped' }
  | { event: 'error'; message: string };

type ServedPlugin = Listing & { readonly name: string };

/** Errors of the plugin server that lie in what is to be served; all others lie in the machine. */
const foundInData: readonly ErrorCode[] = [
  'data_invalid',
  'data_empty',
  'duplicate_artifact',
  'not_wasm',
  'invalid_name',
  'invalid_version',
];

/**
 * `sluice serve`: runs the plugin server until SIGINT or SIGTERM; a second signal ends the process at once.
 * Returns the exit code and never throws: 0 after a clean stop, 1 for artifacts that cannot be served, 2 for wrong
 * arguments, 3 where a port, a directory or the build is not to be had.
 */
export async function serve(args: string[], io: Io): Promise<number> {
  const emit = args.includes('--json') ? jsonEvents(io) : textEvents(io);
  try {
    const { listen, data, help } = parse(args);
    if (help) {
      io.out(usage);
      return exitCode.ok;
    }
    const artifacts = data === undefined ? [await ownBuild()] : await artifactsOf(data);
    const log = {
      level: 'error',
      stream: {
        write: (line: string) => {
          io.err(line);
        },
      },
    };
    const server = await startPluginServer({ artifacts, log, ...listen });
    const stop = stopSignal();
    emit({ event: 'ready', pluginServer: server.url, plugins: artifacts.map((each) => served(each, server.url)) });
    await stop;
    await server.close();
    emit({ event: 'stopped' });
    return exitCode.ok;
  } catch (error) {
    emit({ event: 'error', message: (error as Error).message });
    return exitCodeOf(error);
  }
}

interface Options {
  readonly listen: { readonly host: string; readonly port: number };
  readonly data: string | undefined;
  readonly help: boolean;
}

function parse(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        listen: { type: 'string', default: '127.0.0.1:8801' },
        data: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return { listen: parseListen(values.listen), data: values.data, help: values.help };
  } catch (error) {
    const line = (error as Error).message.replaceAll('\n', ' ');
    throw new CommandError(`${line} (sluice serve --help lists the options)`, exitCode.usage);
  }
}

/** `HOST:PORT`; an IPv6 address stands in brackets, as in a URL. */
function parseListen(value: string): Options['listen'] {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new Error(`--listen takes HOST:PORT, like 127.0.0.1:8801 or [::1]:8801, not ${JSON.stringify(value)}`);
  }
  return { host, port };
}

/**
 * The module that `npm run build` made in the clone at `root`, under the version of its package.json.
 * Throws a `CommandError` that says how to build it, where there is none.
 */
export async function ownBuild(root = new URL('..', import.meta.url)): Promise<Artifact> {
  const module = new URL('build/plugin.wasm', root);
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
  try {
    return loadArtifact('sluice', version, await readFile(module), (await stat(module)).mtime);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new CommandError(
      `${fileURLToPath(module)} is not there: run "npm run build", or name plugins with --data DIR`,
    );
  }
}

async function artifactsOf(directory: string): Promise<Artifact[]> {
  const artifacts = await loadDirectory(directory);
  if (artifacts.length === 0) throw new PluginServerError('data_empty', directory);
  return artifacts;
}

/** As in the listing that the server gives, but with a URL that can be pasted. */
function served(artifact: Artifact, origin: string): ServedPlugin {
  const entry = listing(artifact);
  return { name: artifact.name, ...entry, url: origin + entry.url };
}

function stopSignal(): Promise<void> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of signals) process.off(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  const found = error instanceof PluginServerError && foundInData.includes(error.code);
  return found ? exitCode.found : exitCode.environment;
}

function jsonEvents(io: Io): (event: Event) => void {
  return (event) => {
    io.out(`${JSON.stringify(event)}\n`);
  };
}

function textEvents(io: Io): (event: Event) => void {
  return (event) => {
    switch (event.event) {
      case 'ready':
        io.out(`plugin server ready on ${event.pluginServer}; stop it with Ctrl-C\n`);
        for (const { size, sha256, url } of event.plugins) io.out(`  ${url}  ${size} bytes  sha256 ${sha256}\n`);
        break;
      case 'stopped':
        io.out('stopped\n');
        break;
      case 'error':
        io.err(`sluice serve: ${event.message}\n`);
        break;
    }
  };
}
