import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { adminListener, askAdmin } from './admin.ts';
import { diagnose, lastLines } from './diagnosis.ts';
import { EngineError } from '../../common/engine-error.ts';
import { type Exit, type RunningEngine, describeExit } from './running.ts';

export interface EnvoyOptions {
  /** Path of the Envoy to run. */
  readonly binary: string;
  /** A bootstrap: its file, or the configuration itself. Ports may be 0. */
  readonly config: string | object;
  /** Worker threads; 2 unless said otherwise, so that what lives in one worker only is noticed. */
  readonly concurrency?: number;
  /** Added to this process' environment; what host_env_keys name has to be in one of them. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warning' | 'error';
  /** Where Envoy's log and the access log go; by default a temporary file that goes with the process. */
  readonly logFile?: string;
  /** How long Envoy may take to be live, in ms; 20 s unless said otherwise. */
  readonly startTimeout?: number;
  /** Ends a start under way. */
  readonly signal?: AbortSignal;
}

/** Envoy ends at once on SIGTERM; one that does not within this time hangs. */
const stopTimeout = 5_000;

/** How much of its log is looked at, in bytes. */
const logLimit = 16 << 20;

/**
 * Starts an Envoy and waits until it is live: its configuration accepted, remote modules fetched, listeners open.
 *
 * It leads a process group of its own, so that a Ctrl-C reaches the caller alone, and ends with the thread that started
 * it (Envoy asks for PDEATHSIG, unless hot restart is disabled): start it from a thread that lives as long.
 * @throws EngineError with the cause from Envoy's own log; nothing is left running then
 */
export async function startEnvoy(options: EnvoyOptions): Promise<RunningEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-envoy-'));
  // As --use-dynamic-base-id does, but known here: Envoy writes a dynamic one down too late for a start that fails.
  const baseId = randomInt(1, 400_000_000);
  const removeFiles = (): void => {
    rmSync(folder, { recursive: true, force: true });
    // Hot restart's shared memory, which outlives its Envoy: 104 bytes, named ten times the base id.
    rmSync(`/dev/shm/envoy_shared_memory_${baseId * 10}`, { force: true });
  };
  const logFile = openSync(options.logFile ?? join(folder, 'log'), 'w+', 0o600);
  const child = launch(options, folder, logFile, baseId);
  let wholeLog: string | undefined;
  const log = (): string => wholeLog ?? readTail(logFile);
  const exited = ended(child).then((exit) => {
    wholeLog = log();
    closeSync(logFile);
    removeFiles();
    return exit;
  });
  let stopping: Promise<void> | undefined;
  // Once: a second SIGTERM meets an Envoy that has given its handler up, and ends it before its work is done.
  const stop = (): Promise<void> => (stopping ??= terminate(child, exited));
  try {
    const admin = await live({ child, exited, log, options }, join(folder, 'admin'));
    const [version, listeners] = await Promise.all([versionOf(admin), listenersOf(admin)]);
    // Where the admin interface itself is a pipe, a listener shows what it tells.
    const adminUrl = `http://${listeners.get(adminListener) ?? admin}`;
    removeFiles(); // nobody opens them again, and whoever is killed later cannot remove them
    const kill = (): void => void child.kill('SIGKILL');
    return { pid: child.pid ?? 0, version, adminUrl, listeners, log, exited, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function terminate(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), stopTimeout);
  await exited;
  clearTimeout(deadline);
}

/** The end of a file, at most `logLimit` bytes: an access log grows for as long as its Envoy runs. */
function readTail(file: number): string {
  const { size } = fstatSync(file);
  const bytes = Buffer.alloc(Math.min(size, logLimit));
  const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
  return bytes.toString('utf8', 0, read);
}

function launch(options: EnvoyOptions, folder: string, logFile: number, baseId: number): ChildProcess {
  let config = options.config;
  if (typeof config !== 'string') {
    const file = join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    config = file;
  }
  const args = [
    ...['-c', config, '--concurrency', String(options.concurrency ?? 2), '--log-level', options.logLevel ?? 'info'],
    ...['--base-id', String(baseId), '--admin-address-path', join(folder, 'admin')],
  ];
  // Straight into the file: the access log must not have to pass through this process.
  const stdio: StdioOptions = ['ignore', logFile, logFile];
  return spawn(options.binary, args, { env: { ...process.env, ...options.env }, stdio, detached: true });
}

function ended(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

/** Said when the filter is set up; the fetch itself, and its retries, are silent. */
const fetchesModule = 'Wasm remote code fetch';

interface Starting {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly log: () => string;
  readonly options: EnvoyOptions;
}

/** Waits for the admin interface to say LIVE; returns its address, or the path of its pipe. */
async function live({ child, exited, log, options }: Starting, addressFile: string): Promise<string> {
  if (child.pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw new EngineError(`Envoy could not be started: ${error.message}`);
  }
  const timeout = options.startTimeout ?? 20_000;
  const deadline = Date.now() + timeout;
  const gone = exited.then((exit) => ({ exit }));
  for (;;) {
    options.signal?.throwIfAborted();
    const admin = adminAddressIn(addressFile);
    if (admin !== undefined && (await answersReady(admin))) {
      // A remote module that fails leaves a live Envoy, whose listener answers 503 to everything for ever.
      const defect = diagnose(log());
      if (defect !== undefined) throw defect;
      return admin;
    }
    if (Date.now() > deadline) {
      const waits = log().includes(fetchesModule) ? ': it still waits for the module from the plugin server' : '';
      throw diagnose(log()) ?? failure(`Envoy was not ready within ${timeout / 1000} s${waits}`, log());
    }
    const raced = await Promise.race([gone, sleep(20)]);
    if (raced !== undefined) {
      throw diagnose(log()) ?? failure(`Envoy ended at once (${describeExit(raced.exit)})`, log());
    }
  }
}

function failure(message: string, log: string): EngineError {
  return new EngineError(message, 'environment', lastLines(log));
}

function adminAddressIn(file: string): string | undefined {
  try {
    const address = readFileSync(file, 'utf8').trim();
    return address === '' ? undefined : address;
  } catch {
    return undefined; // not written yet
  }
}

async function answersReady(admin: string): Promise<boolean> {
  try {
    return (await askAdmin(admin, '/ready')).status === 200;
  } catch {
    return false;
  }
}

async function versionOf(admin: string): Promise<string> {
  const info = JSON.parse((await askAdmin(admin, '/server_info')).text) as { version: string };
  return info.version.split('/')[1] ?? info.version;
}

async function listenersOf(admin: string): Promise<Map<string, string>> {
  interface Status {
    name: string;
    local_address: { socket_address?: { address: string; port_value: number } };
  }
  const { text } = await askAdmin(admin, '/listeners?format=json');
  const { listener_statuses = [] } = JSON.parse(text) as { listener_statuses?: Status[] };
  const addresses = new Map<string, string>();
  for (const { name, local_address } of listener_statuses) {
    const bound = local_address.socket_address;
    if (bound === undefined) continue;
    const host = bound.address.includes(':') ? `[${bound.address}]` : bound.address;
    addresses.set(name, `${host}:${bound.port_value}`);
  }
  return addresses;
}
