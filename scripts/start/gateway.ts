import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bootstrap, type GatewayServer, endpointOf, gatewayBootstrap } from '../../envoy/bootstrap.ts';
import { type DemoName, demoServers, startDemo } from '../../envoy/demo/run.ts';
import { moduleLines } from '../../envoy/engine/diagnosis.ts';
import { chooseEngine } from '../../envoy/engine/engine.ts';
import { EngineError } from '../../envoy/engine/error.ts';
import { waitForTools } from '../../envoy/engine/mcp-probe.ts';
import { type RunningEngine, describeExit } from '../../envoy/engine/running.ts';
import { onPreferredPort, portDefect, preferPort } from '../../envoy/ports.ts';
import { type HostPort, formatHostPort } from '../../envoy/upstream.ts';
import { envoyYaml } from '../../envoy/yaml.ts';
import { loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { type BuiltModule, build } from '../build.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import {
  type Configuration,
  environmentFor,
  hostModeOf,
  readConfiguration,
  withHostMode,
  withSessionKey,
} from './configuration.ts';
import type { FederatedServer, StartEvent } from './events.ts';
import type { StartOptions } from './options.ts';
import type { Running } from './running.ts';
import { sessionKey, sessionKeyVariable } from './session-key.ts';

export interface Surroundings {
  readonly io: Io;
  /** Takes what is started, at once: a later step may fail. */
  readonly running: Running;
  /** Aborted when the end was asked for. */
  readonly stop: AbortSignal;
}

const clone = fileURLToPath(new URL('../..', import.meta.url));
const loopback = '127.0.0.1';
const adminPort = 9901;
const pluginServerPort = 8801;

/** How long the gateway may take from live to its first answer, in ms: every server's handshake is in it. */
const answerTimeout = 20_000;

/**
 * Builds the module, starts the plugin server, the demo servers where no others are named, and the engine; waits until
 * the gateway answers.
 * @throws CommandError, EngineError with the one line to tell
 */
export async function startGateway(
  options: StartOptions,
  { io, running, stop }: Surroundings,
): Promise<StartEvent & { event: 'ready' }> {
  const progress = (line: string): void => {
    if (io.interactive) io.err(`${line}\n`);
  };
  const configured = withHostMode(
    options.config === undefined ? { plugin: {}, servers: [] } : readConfiguration(options.config),
    options.hostMode,
  );
  await requireFree('--listen', options.listen);
  if (options.admin !== undefined) await requireFree('--admin', options.admin);
  progress('building the module …');
  const { plugin: module } = await build();
  const tell = (line: string): void => {
    io.err(`${line}\n`);
  };
  const folder = join(clone, '.envoy');
  const engine = await chooseEngine(options.engine, {
    env: io.env,
    folder,
    mode: hostModeOf(configured),
    progress: tell,
    signal: stop,
  });

  progress('starting the servers …');
  const pluginServer = await servePlugin(module, running);
  const configuration = withSessionKey(
    options.config === undefined ? { ...configured, servers: await namedServers(options, running) } : configured,
  );
  const bootstrap = gatewayBootstrap({
    listen: options.listen,
    admin: options.admin ?? (await preferPort({ host: loopback, port: adminPort })),
    pluginServerUrl: pluginServer,
    digest: module.digest,
    ...configuration,
  });
  const data = resolve(clone, io.env['SLUICE_DATA_DIR'] ?? '.sluice');
  const env = environmentFor(configuration, { [sessionKeyVariable]: sessionKey(data), ...io.env });
  await engine.check(bootstrap, module.file, env);

  progress(`starting ${engine.title} …`);
  const files = { config: join(data, 'envoy.yaml'), log: join(data, 'envoy.log') };
  writeBootstrap(files.config, bootstrap);
  const launch = { config: files.config, logFile: files.log, concurrency: options.workers, env, signal: stop };
  const gateway = await engine.start(launch);
  const ended = gateway.exited.then(
    (exit) => new EngineError(`the engine ended by itself (${describeExit(exit)}); its log is ${files.log}`),
  );
  running.add(gateway, ended);
  const mcp = `http://${reachable(gateway)}${endpointOf(configuration.plugin)}`;
  const tools = await firstAnswer(gateway, mcp, stop);
  return {
    event: 'ready',
    mcp,
    engine: engine.title,
    engineReason: engine.reason,
    pid: gateway.pid,
    pluginServer,
    admin: gateway.adminUrl,
    servers: configuration.servers.map((server) => federated(server, tools)),
    tools: tools.length,
    envoyConfig: files.config,
    log: files.log,
  };
}

/** @throws CommandError that says who is asked to move */
async function requireFree(flag: string, address: HostPort): Promise<void> {
  const defect = await portDefect(address);
  if (defect === undefined) return;
  const text = formatHostPort(address);
  const why = defect === 'EADDRINUSE' ? `${text} is in use` : `${text} cannot be listened on (${defect})`;
  throw new CommandError(`${why}: stop what listens there, or choose another address with ${flag} HOST:PORT`);
}

/** @returns the URL of the plugin server */
async function servePlugin({ bytes }: BuiltModule, running: Running): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
  const artifacts = [loadArtifact('sluice', version, bytes)];
  const preferred = { host: loopback, port: pluginServerPort };
  const server = await onPreferredPort(preferred, (address) => startPluginServer({ artifacts, ...address }));
  running.add({ stop: server.close });
  return server.url;
}

/** The servers of the command line, or the demo servers where it names none. */
async function namedServers({ servers, prefixes }: StartOptions, running: Running): Promise<Configuration['servers']> {
  const federate = servers.length > 0 ? servers : await startDemos(running);
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

async function startDemos(running: Running): Promise<{ name: string; url: string }[]> {
  const names = Object.keys(demoServers) as DemoName[];
  const starting = names.map(async (name) => {
    const preferred = { host: loopback, port: demoServers[name] };
    const demo = await onPreferredPort(preferred, ({ port }) => startDemo(name, port));
    const ended = demo.exited.then((said) => new CommandError(`the demo server ${name} ended by itself: ${said}`));
    running.add(demo, ended);
    return { name, url: demo.url };
  });
  // All of them, before a failure of one is told: the others are running then, and are to be stopped.
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

function writeBootstrap(file: string, bootstrap: Bootstrap): void {
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  const head = '# Derived from envoy/envoy.yaml by `sluice start`, which writes it anew each time.\n';
  writeFileSync(file, head + envoyYaml(bootstrap), { mode: 0o600 });
}

/** @throws EngineError with what the module said meanwhile */
async function firstAnswer(gateway: RunningEngine, mcp: string, stop: AbortSignal): Promise<string[]> {
  let ended = false;
  void gateway.exited.then(() => (ended = true));
  try {
    return await waitForTools(mcp, answerTimeout, () => ended || stop.aborted);
  } catch (error) {
    throw new EngineError((error as Error).message, 'environment', moduleLines(gateway.log()));
  }
}

/** The address to tell a client of this machine: a wildcard is one to listen on, not to connect to. */
function reachable(gateway: RunningEngine): string {
  const address = gateway.listeners.get('mcp') ?? '';
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}

/** Tool names carry their server's prefix, and no prefix begins with another. */
function federated(
  { name, url, prefix = `${name}_` }: GatewayServer & { prefix?: unknown },
  tools: string[],
): FederatedServer {
  return { name, url, tools: tools.filter((tool) => tool.startsWith(String(prefix))) };
}
