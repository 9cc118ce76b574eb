import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayServer, endpointOf, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
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
import { CommandError, exitCode } from '../io.ts';
import { type OwnModule, ownModule } from '../own-module.ts';
import {
  type Configuration,
  environmentFor,
  hostModeOf,
  readConfiguration,
  readSource,
  withHostMode,
  withSessionKey,
} from './configuration.ts';
import { demoAuth } from './demo-auth.ts';
import { type DemoOptions, requireDemos, startDemos } from './demos.ts';
import type { ReadyEvent, StartEvent } from './events.ts';
import { type OwnFiles, claimFiles } from './files.ts';
import { ask } from './mcp-client.ts';
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
  const source = options.config === undefined ? undefined : readSource(options.config);
  const listen = await freeAddress('--listen', options.listen);
  const admin = options.admin === undefined ? undefined : await freeAddress('--admin', options.admin);
  if (options.config === undefined && options.servers.length + options.rests.length === 0) requireDemos();
  const module = await ownModule(progress, io.env);
  const configured = withHostMode(
    source === undefined ? { plugin: {}, servers: [] } : await readConfiguration(source, module.bytes),
    options.hostMode,
  );
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

  progress('starting the servers …');
  const files = claimFiles(resolve(workFolder(), io.env['SLUICE_DATA_DIR'] ?? '.sluice'));
  running.add(files);
  const pluginServer = await servePlugin(module, running);
  const named = withSessionKey(
    options.config === undefined ? { ...configured, servers: await namedServers(options, surroundings) } : configured,
  );
  const demo = options.auth === undefined ? undefined : demoAuth(named, dirname(files.config));
  const configuration = demo?.configuration ?? named;
  const plain = gatewayBootstrap({
    listen,
    admin: admin ?? (await preferPort({ host: loopback, port: adminPort })),
    pluginServerUrl: pluginServer,
    digest: module.digest,
    ...configuration,
  });
  const bootstrap = engine.prepare(plain, files.pipe);
  const env = environmentFor(configuration, { [sessionKeyVariable]: sessionKey(dirname(files.config)), ...io.env });
  await engine.check(bootstrap, module.file, env);

  progress(`starting ${engine.title} …`);
  const states = inParallel(configuration.servers, (server) => askServer(server, configuration, env));
  writeBootstrap(files.config, bootstrap);
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

/** The servers of the command line, or the demo servers where it names none. */
async function namedServers(
  { servers, rests, prefixes }: StartOptions,
  { running, stop, emit }: Surroundings,
): Promise<Configuration['servers']> {
  const tell: DemoOptions['tell'] = (name, state, problem) => {
    emit({ event: 'server', name, state, problem });
  };
  const given: readonly GatewayServer[] = [
    ...servers.map((server) => ({ ...server })),
    ...rests.map((file) => restServer(file)),
  ];
  const federate = given.length > 0 ? given : await startDemos({ running, stop, tell });
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
