import { type ErrorCode, PluginServerError, listing } from '../plugin-server/index.ts';
import { CommandError, type Io, exitCode } from './io.ts';
import { type ServedPlugin, jsonEvents, textEvents } from './serve/events.ts';
import { parseServe, serveUsage } from './serve/options.ts';
import { type RunningServe, runServer } from './serve/run.ts';

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
 * `sluice serve`: runs the plugin server until SIGINT or SIGTERM; a second signal ends the process at once. SIGHUP
 * makes it read certificates and tokens again.
 * Returns the exit code and never throws: 0 after a clean stop, 1 for artifacts that cannot be served, 2 for wrong
 * arguments, 3 where a port, a directory or the build is not to be had.
 */
export async function serve(args: string[], io: Io): Promise<number> {
  const emit = args.includes('--json') ? jsonEvents(io) : textEvents(io);
  try {
    const options = parseServe(args);
    if (options.help) {
      io.out(serveUsage);
      return exitCode.ok;
    }
    const server = await runServer(options, io);
    const stop = stopSignal();
    const renew = (): void => void server.renew();
    process.on('SIGHUP', renew);
    emit({ event: 'ready', pluginServer: server.url, plugins: served(server) });
    await stop;
    await server.close();
    process.off('SIGHUP', renew);
    emit({ event: 'stopped' });
    return exitCode.ok;
  } catch (error) {
    emit({ event: 'error', message: (error as Error).message });
    return exitCodeOf(error);
  }
}

/** As in the listing that the server gives, but with URLs that can be pasted. */
function served({ store, url: origin }: RunningServe): ServedPlugin[] {
  return store.names().flatMap((name) =>
    store.versions(name).map((artifact) => {
      const entry = listing(artifact);
      return { name, ...entry, url: origin + entry.url };
    }),
  );
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
