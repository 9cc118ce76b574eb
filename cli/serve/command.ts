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
