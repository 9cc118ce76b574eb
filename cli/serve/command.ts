import { once } from 'node:events';
import { type ErrorCode, PluginServerError, listing } from '../../plugin-server/index.ts';
import { command, type Context } from '../command.ts';
import { exitCode } from '../io.ts';
import { type ServeEvent, type ServedPlugin, printed } from './events.ts';
import { type ServeOptions, readServe, serveFlags, serveUsage } from './options.ts';
import { type RunningServe, runServer } from './run.ts';

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
 * makes it read certificates and tokens again. Exit codes: 0 after a clean stop, 1 for artifacts that cannot be served,
 * 2 for wrong arguments, 3 where a port, a directory or the build is not to be had.
 */
export const serve = command({
  name: 'serve',
  usage: serveUsage,
  flags: serveFlags,
  takesArguments: false,
  read: readServe,
  print: printed,
  run,
  isFound: (error) => error instanceof PluginServerError && foundInData.includes(error.code),
});

async function run(options: ServeOptions, { io, emit }: Context<ServeEvent>): Promise<number> {
  // From the beginning: the first process of a container is sent no signal that it does not listen for.
  const stop = stopSignal();
  const running: { server?: RunningServe } = {};
  const renew = (): void => void running.server?.renew();
  process.on('SIGHUP', renew);
  try {
    const server = await runServer(options, io, stop);
    running.server = server;
    emit({ event: 'ready', pluginServer: server.url, plugins: served(server) });
    if (!stop.aborted) await once(stop, 'abort');
    await server.close();
  } catch (error) {
    // What fails after the end was asked for fails because of it.
    if (!stop.aborted) throw error;
  } finally {
    process.off('SIGHUP', renew);
  }
  emit({ event: 'stopped' });
  return exitCode.ok;
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

/** Aborted by the first signal that asks for the end; the next one ends the process. */
function stopSignal(): AbortSignal {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const controller = new AbortController();
  const stop = (): void => {
    for (const signal of signals) process.off(signal, stop);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  return controller.signal;
}
