// A plugin server with a directory of gateways, and real Envoys that are configured by it alone.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../free-ports.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import type { RunningEngine } from '../../envoy/engine/running.ts';
import {
  ArtifactStore,
  type Catalogs,
  type Live,
  type RunningPluginServer,
  Tokens,
  loadArtifact,
  openLive,
  startPluginServer,
} from '../../plugin-server/index.ts';

const clone = new URL('../../', import.meta.url);

export const builtModule = (): Buffer => readFileSync(fileURLToPath(new URL('build/plugin.wasm', clone)));

/** The module as another version would be: the same code, other bytes. */
export function otherModule(mark: string): Buffer {
  const content = Buffer.from(`\x05other${mark}`);
  return Buffer.concat([builtModule(), Buffer.from([0, content.length]), content]);
}

/** What takes the end of something: the end of the test, unless said otherwise. */
type Ends = (end: () => void | Promise<void>) => void;

export function temporaryFolder(ends: Ends = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-live-'));
  ends(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Folders of a plugin server: they outlive it. */
export interface Folders {
  readonly gateways: string;
  readonly state: string;
}

export function folders(ends?: Ends): Folders {
  const folder = temporaryFolder(ends);
  const made = { gateways: join(folder, 'gateways'), state: join(folder, 'state') };
  mkdirSync(made.gateways);
  return made;
}

/**
 * The state of a plugin server that has kept one gateway, for the tests of a file: what it has checked once, those need
 * not check again.
 * @returns what copies it into the folders of a test
 */
export function useKept(gateway: string, content: object): (where: Folders) => void {
  const kept = join(tmpdir(), `sluice-kept-${randomUUID()}`);
  beforeAll(async () => {
    const ends: (() => void | Promise<void>)[] = [];
    const later: Ends = (end) => void ends.push(end);
    const where = { ...folders(later), state: kept };
    write(where, gateway, content);
    await startLive(where, {}, later);
    for (const end of ends.toReversed()) await end();
  });
  afterAll(() => {
    rmSync(kept, { recursive: true });
  });
  return (where) => {
    cpSync(kept, where.state, { recursive: true });
    write(where, gateway, content);
  };
}

/** Writes a file of a gateway as one should: whole, then renamed. */
export function write({ gateways }: Folders, gateway: string, content: object | string, name = 'sluice.yaml'): void {
  mkdirSync(join(gateways, gateway), { recursive: true });
  const file = join(gateways, gateway, name);
  writeFileSync(`${file}.new`, typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(`${file}.new`, file);
}

/** Makes a folder of versions take none, as a disk that is full does: there is no place for unfinished files. */
export function fullDisk(state: string): { end(): void } {
  const incoming = join(state, '.incoming');
  rmSync(incoming, { recursive: true });
  writeFileSync(incoming, '');
  return {
    end: () => {
      rmSync(incoming);
    },
  };
}

export interface LiveServer {
  readonly url: string;
  readonly port: number;
  readonly live: Live;
  readonly store: ArtifactStore;
  /** Lines of its log, as JSON. */
  readonly log: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly port?: number;
  readonly store?: ArtifactStore;
  readonly tokensRequired?: boolean;
  readonly publishToken?: string;
  readonly catalogs?: Catalogs;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly drainTime?: number;
}

export const storeWith = (...versions: string[]): ArtifactStore =>
  new ArtifactStore(
    versions.map((version, index) =>
      loadArtifact('sluice', version, index === 0 ? builtModule() : otherModule(version)),
    ),
  );

/** A plugin server in this process; it is closed with the test, if it was not before. */
export async function startLive(
  where: Folders,
  options: ServerOptions = {},
  ends: Ends = onTestFinished,
): Promise<LiveServer> {
  const log: Record<string, unknown>[] = [];
  const note =
    (level: string) =>
    (fields: unknown, message?: string): void =>
      void log.push({ level, ...(fields as object), message });
  const {
    store = storeWith('0.1.0'),
    port = 0,
    tokensRequired = false,
    publishToken,
    catalogs,
    tls,
    drainTime = 0,
  } = options;
  const tokens = publishToken === undefined ? undefined : Tokens.parse(publishToken, 'the test');
  const live = await openLive({
    ...where,
    store,
    catalogs,
    tokensRequired,
    publishers: tokens && (() => tokens),
    drainTime,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
  });
  let server: RunningPluginServer;
  try {
    server = await startPluginServer({
      artifacts: store,
      live,
      host: '127.0.0.1',
      port,
      ...(catalogs && { catalogs: { catalogs, access: { tokensRequired, publishers: tokens && (() => tokens) } } }),
      ...(tls && { tls }),
    });
  } catch (error) {
    await live.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= server.close());
  ends(close);
  return { url: server.url, port: Number(new URL(server.url).port), live, store, log, close };
}

interface LiveBootstrap {
  node?: object;
  admin: { address: SocketAddress };
  static_resources: {
    listeners: [
      { address: SocketAddress; filter_chains: [{ filters: [{ typed_config: { http_filters: unknown[] } }] }] },
    ];
    secrets: object[];
    clusters: [{ load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { address: SocketAddress } }] }] } }];
  };
}

interface SocketAddress {
  socket_address: { address: string; port_value: number };
}

export const liveYaml = fileURLToPath(new URL('envoy/live.yaml', clone));

/** envoy/live.yaml with other ports, and the two names that come from the command line otherwise. */
export function liveBootstrap(
  port: number,
  node: { id: string; cluster: string },
  text = readFileSync(liveYaml, 'utf8'),
): LiveBootstrap {
  const bootstrap = parse(text) as LiveBootstrap;
  bootstrap.node = node;
  bootstrap.admin.address.socket_address.port_value = 0;
  bootstrap.static_resources.listeners[0].address.socket_address.port_value = 0;
  const [cluster] = bootstrap.static_resources.clusters;
  cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value = port;
  return bootstrap;
}

export function filtersOf({ static_resources }: LiveBootstrap): unknown[] {
  return static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
}

export interface LiveEnvoy {
  /** `http://127.0.0.1:40000/mcp` */
  readonly mcp: string;
  readonly running: RunningEngine;
  /** Everything that it was configured with. */
  configuration(): Promise<string>;
}

export async function startLiveEnvoy(
  binary: string,
  config: object,
  env: Readonly<Record<string, string>> = {},
  signal = new AbortController().signal,
  ends: Ends = onTestFinished,
): Promise<LiveEnvoy> {
  const running = await startEnvoy({ binary, config, env, startTimeout: 40_000, signal });
  ends(() => running.stop());
  return {
    mcp: `http://${running.listeners.get('mcp') ?? ''}/mcp`,
    running,
    configuration: async () => (await fetch(`${running.adminUrl}/config_dump`)).text(),
  };
}

/** The same text with its lines for TLS in force, and other files than the ones it names. */
export function withTls({ ca, secret }: { ca: string; secret: string }): string {
  const lines: string[] = [];
  let margin: string | undefined;
  for (const line of readFileSync(liveYaml, 'utf8').split('\n')) {
    if (/^ *# TLS: /.test(line)) margin = /^ */.exec(line)?.[0] ?? '';
    else if (margin !== undefined && line.startsWith(`${margin}# `)) {
      lines.push(margin + line.slice(margin.length + 2));
      continue;
    } else margin = undefined;
    lines.push(line);
  }
  return lines.join('\n').replace('/etc/sluice/ca.pem', ca).replace('/etc/sluice/token.yaml', secret);
}

/** An Envoy that need not become ready. */
export async function spawnEnvoy(
  binary: string,
  config: LiveBootstrap,
  env: Readonly<Record<string, string>>,
): Promise<{ mcp: string; log: () => string }> {
  const port = await freePort();
  config.static_resources.listeners[0].address.socket_address.port_value = port;
  const file = join(temporaryFolder(), 'envoy.json');
  writeFileSync(file, JSON.stringify(config));
  const args = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
  });
  return { mcp: `http://127.0.0.1:${port}/mcp`, log: () => log };
}
