import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bootstrap, type GatewayServer, endpointOf, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { discoveredFilters, withDiscoveredFilters } from '../../envoy/render/discovered.ts';
import type { SourceFile } from '../../envoy/check/files.ts';
import { moduleLines, withoutFalseAlarms } from '../../envoy/engine/diagnosis.ts';
import { chooseEngine } from '../../envoy/engines.ts';
import { EngineError } from '../../common/engine-error.ts';
import { type RunningEngine, describeExit } from '../../envoy/engine/running.ts';
import { version, workFolder } from '../../common/home.ts';
import { listenAddress, onPreferredPort, portDefect, preferPort } from '../../envoy/engine/ports.ts';
import { type HostPort, formatHostPort } from '../../envoy/render/upstream.ts';
import { envoyYaml } from '../../envoy/yaml/write.ts';
import { loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import type { Context } from '../command.ts';
import { readSource } from '../configuration-file.ts';
import { CommandError, exitCode } from '../io.ts';
import { type OwnModule, ownModule } from '../own-module.ts';
import {
  type Configuration,
  environmentFor,
  hostModeOf,
  readConfiguration,
  withHostMode,
  withSessionKey,
} from './configuration.ts';
import { demoAuth } from './demo-auth.ts';
import { type DemoOptions, requireDemos, startDemos } from './demos.ts';
import { followEdits, writeFilters } from './edits.ts';
import type { ReadyEvent, StartEvent } from './events.ts';
import { type OwnFiles, claimFiles } from './files.ts';
import { ask } from '../../common/mcp-client.ts';
import type { StartOptions } from './options.ts';
import { restServer } from './rest.ts';
import type { Running } from './running.ts';
import { sessionKey, sessionKeyVariable } from './session-key.ts';
import { askServer, inParallel, surveyGateway } from './survey.ts';
import { watchServers } from './watch.ts';

export interface Surroundings extends Pick<Context<StartEvent>, 'io' | 'emit' | 'progress'> {
  /** Takes what is started, at once: a later step may fail. */
  readonly running: Running;
  /** Aborted when the end was asked for. */
  readonly stop: AbortSignal;
}

const loopback = '127.0.0.1';
const adminPort = 9901;
const pluginServerPort = 8801;

/** How long the module may take from live to its first answer, in ms. */
const answerTimeout = 20_000;

/**
 * Builds the module, starts the plugin server, the demo servers where no others are named, and the engine; waits until
 * the gateway answers.
 * @throws CommandError, EngineError with the one line to tell
 */
export async function startGateway(options: StartOptions, surroundings: Surroundings): Promise<ReadyEvent> {
  const { io, running, stop, emit, progress } = surroundings;
  const source = options.config === undefined ? undefined : readSource(options.config, '--config');
  const listen = await freeAddress('--listen', options.listen);
  const admin = options.admin === undefined ? undefined : await freeAddress('--admin', options.admin);
  if (options.config === undefined && options.servers.length + options.rests.length === 0) requireDemos();
  const module = await ownModule(progress, io.env, stop);
  const configurationOf = async (file: SourceFile | undefined): Promise<Configuration> =>
    withHostMode(
      file === undefined ? { plugin: {}, servers: [] } : await readConfiguration(file, module.bytes),
      options.hostMode,
    );
  const configured = await configurationOf(source);
  const tell = (line: string): void => {
    io.err(`${line}\n`);
  };
  const folder = join(workFolder(), '.envoy');
  const engine = await chooseEngine(options.engine, {
    env: io.env,
    folder,
    mode: hostModeOf(configured),
    progress: tell,
    signal: stop,
  });

  stop.throwIfAborted();
  progress('starting the servers …');
  const files = claimFiles(resolve(workFolder(), io.env['SLUICE_DATA_DIR'] ?? '.sluice'));
  running.add(files);
  const pluginServer = await servePlugin(module, running);
  const others = options.config === undefined ? await otherServers(options, surroundings) : [];
  const complete = (read: Configuration): Configuration =>
    withSessionKey(options.config === undefined ? { ...read, servers: withRests(others, options) } : read);
  const named = complete(configured);
  const demo = options.auth === undefined ? undefined : demoAuth(named, dirname(files.config));
  const configuration = demo?.configuration ?? named;
  const addresses = { listen, admin: admin ?? (await preferPort({ host: loopback, port: adminPort })) };
  const bootstrapOf = (each: Configuration): Bootstrap =>
    gatewayBootstrap({ ...addresses, pluginServerUrl: pluginServer, digest: module.digest, ...each });
  const checked = async (each: Configuration): Promise<Bootstrap> => {
    const made = bootstrapOf(each);
    const own = { [sessionKeyVariable]: sessionKey(dirname(files.config)), ...io.env };
    await engine.check(engine.prepare(structuredClone(made), files.pipe), module.file, environmentFor(each, own));
    return made;
  };
  const env = environmentFor(configuration, { [sessionKeyVariable]: sessionKey(dirname(files.config)), ...io.env });
  const plain = await checked(configuration);

  progress(`starting ${engine.title} …`);
  const states = inParallel(configuration.servers, (server) => askServer(server, configuration, env));
  const edited = [...(options.config === undefined ? [] : [options.config]), ...options.rests];
  if (edited.length > 0) writeFilters(discoveredFilters(plain), files.filter);
  const run = edited.length > 0 ? withDiscoveredFilters(plain, files.filter) : plain;
  writeBootstrap(files.config, engine.prepare(run, files.pipe));
  const launch = { config: files.config, logFile: files.log, concurrency: options.workers, env, signal: stop };
  const gateway = await engine.start(launch);
  const ended = gateway.exited.then(
    (exit) => new EngineError(`the engine ended by itself (${describeExit(exit)}); its log is ${files.log}`),
  );
  running.add(gateway, ended);
  const mcp = `http://${reachable(gateway)}${endpointOf(configuration.plugin)}`;
  await untilModuleAnswers(gateway, mcp, stop);
  const survey = await surveyGateway({ mcp, configuration, states: await states, token: demo?.token });
  watchServers({
    servers: configuration.servers,
    states: await states,
    ask: (server) => askServer(server, configuration, env),
    tell: (change) => {
      emit({ event: 'server', ...change });
    },
    signal: stop,
  });
  followEdits({
    files: edited,
    bootstrap: plain,
    read: async () => {
      const read = complete(
        await configurationOf(options.config === undefined ? undefined : readSource(options.config, '--config')),
      );
      return checked(
        demo === undefined ? read : { ...read, plugin: { ...read.plugin, auth: configuration.plugin['auth'] } },
      );
    },
    pathOf: files.filter,
    adminUrl: gateway.adminUrl,
    tell: (edit) => {
      emit({ event: 'edit', ...edit });
    },
    signal: stop,
  });
  return {
    event: 'ready',
    mcp,
    client: configuration.plugin['root'] === 'closed' ? (survey.virtualServers[0]?.url ?? mcp) : mcp,
    engine: engine.title,
    engineReason: engine.reason,
    pid: gateway.pid,
    pluginServer,
    admin: gateway.adminUrl,
    ...survey,
    notes: [...survey.notes, ...engineNotes(gateway), ...(files.number > 1 ? [secondStart(files)] : [])],
    envoyConfig: files.config,
    log: files.log,
    ...(demo !== undefined && { token: demo.token }),
  };
}

/** Two at once share the session key, so that sessions of one are good at the other; that is what a directory is for. */
function secondStart({ config, log }: OwnFiles): string {
  return `another \`sluice start\` uses this data directory: this one's files are ${config} and ${log}`;
}

/**
 * The address that is meant by `asked`, whose host can be a name.
 * @throws CommandError that says who is asked to move, or that the name has no address
 */
async function freeAddress(flag: string, asked: HostPort): Promise<HostPort> {
  const address = await listenAddress(asked).catch((error: unknown) => {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new CommandError(`${flag}: ${asked.host} has no address (${code}): give one of this machine, like 127.0.0.1`);
  });
  const defect = await portDefect(address);
  if (defect === undefined) return address;
  const text = formatHostPort(asked);
  const why = defect === 'EADDRINUSE' ? `${text} is in use` : `${text} cannot be listened on (${defect})`;
  throw new CommandError(`${why}: stop what listens there, or choose another address with ${flag} HOST:PORT`);
}

/** @returns the URL of the plugin server */
async function servePlugin({ bytes }: OwnModule, running: Running): Promise<string> {
  const artifacts = [loadArtifact('sluice', version, bytes)];
  const preferred = { host: loopback, port: pluginServerPort };
  const server = await onPreferredPort(preferred, (address) => startPluginServer({ artifacts, ...address }));
  running.add({ stop: server.close });
  return server.url;
}

/** The servers of `--server`, or the demo servers where the command line names none at all. */
async function otherServers(
  { servers, rests }: StartOptions,
  { running, stop, emit }: Surroundings,
): Promise<Configuration['servers']> {
  const tell: DemoOptions['tell'] = (name, state, problem) => {
    emit({ event: 'server', name, state, problem });
  };
  if (servers.length + rests.length === 0) return startDemos({ running, stop, tell });
  return servers.map((server) => ({ ...server }));
}

/** All servers of the command line, with their prefixes; the files of REST services are read now. */
function withRests(others: Configuration['servers'], { rests, prefixes }: StartOptions): Configuration['servers'] {
  const federate: readonly GatewayServer[] = [...others, ...rests.map((file) => restServer(file))];
  for (const name of prefixes.keys()) {
    if (federate.some((server) => server.name === name)) continue;
    throw new CommandError(`--prefix ${name}=…: there is no server ${name}`, exitCode.usage);
  }
  const prefixOf = (name: string): { prefix?: string } => {
    const prefix = prefixes.get(name);
    return prefix === undefined ? {} : { prefix };
  };
  return federate.map((server) => ({ ...server, ...prefixOf(server.name) }));
}

function writeBootstrap(file: string, bootstrap: object): void {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  const head = '# Derived from envoy/envoy.yaml by `sluice start`, which writes it anew each time.\n';
  writeFileSync(file, head + envoyYaml(bootstrap), { mode: 0o600 });
}

/**
 * Waits until the module answers, whatever it answers: a port that is open and an admin interface that says LIVE prove
 * nothing about the module behind them.
 * @throws EngineError with what the module said meanwhile
 */
async function untilModuleAnswers(gateway: RunningEngine, mcp: string, stop: AbortSignal): Promise<void> {
  const gone = new AbortController();
  void gateway.exited.then(() => {
    gone.abort();
  });
  const deadline = Date.now() + answerTimeout;
  for (;;) {
    const { headers, said } = await ask({ url: mcp }, 'ping', {}).then(
      ({ status, headers, text }) => ({ headers, said: `${status} ${text.slice(0, 200)}` }),
      (error: unknown) => ({ headers: {}, said: (error as Error).message }),
    );
    if ('x-mcp-gateway' in headers) return;
    const lines = (): string[] => moduleLines(gateway.log());
    if (gone.signal.aborted || stop.aborted)
      throw new EngineError('the gateway ended before it answered', 'environment', lines());
    if (Date.now() > deadline) throw new EngineError(`${mcp} does not answer: ${said}`, 'environment', lines());
    await sleep(100);
  }
}

/** What the engine's log says for everybody to see, and means nothing. */
function engineNotes(gateway: RunningEngine): string[] {
  const log = gateway.log();
  if (withoutFalseAlarms(log) === log) return [];
  return [
    'the log has the critical lines "Plugin sluice-holder failed to load": Envoy says so of the second filter of host mode ' +
      'pair while it fetches the module for the first, and then loads it for both. All is well',
  ];
}

/** The address to tell a client of this machine: a wildcard is one to listen on, not to connect to. */
function reachable(gateway: RunningEngine): string {
  const address = gateway.listeners.get('mcp') ?? '';
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}
