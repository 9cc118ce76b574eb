// A real Nacos 3 from Maven Central, on ports of its own: started, killed, started again.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '../free-ports.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Whether there is a JDK and Maven to run it with. */
export function hasJava(): boolean {
  try {
    for (const program of ['java', 'javac', 'mvn']) execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface NacosSettings {
  /** Whether the client API wants a login; the admin API always does, unless `adminAuth` is false. */
  readonly auth?: boolean;
  readonly adminAuth?: boolean;
  /** Nacos' own default: a right login is answered with 403 for some seconds after the start. */
  readonly authCache?: boolean;
  /** Seconds. */
  readonly tokenTtl?: number;
}

export interface Nacos {
  /** `http://127.0.0.1:18848`; the same after each start. */
  readonly address: string;
  /** Of its process; undefined where it does not run. */
  pid(): number | undefined;
  /** As a machine that loses power. */
  kill(): Promise<void>;
  /** With the data that it had, and other settings if there are some. Resolves when it is ready. */
  start(settings?: NacosSettings): Promise<void>;
  /** Loses its data: users, namespaces, documents. It must not run. */
  wipe(): void;
  end(): Promise<void>;
}

/** The class path, looked up once for each version of the POM. */
async function classPath(): Promise<string> {
  const pom = join(here, 'pom.xml');
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 16);
  const file = join(tmpdir(), `sluice-nacos-${digest}.classpath`);
  if (!existsSync(file)) {
    const unfinished = `${file}.${process.pid}`;
    const goal = ['-q', '-B', '-f', pom, 'dependency:build-classpath', `-Dmdep.outputFile=${unfinished}`];
    await promisify(execFile)('mvn', goal, { maxBuffer: 1 << 24 });
    renameSync(unfinished, file);
  }
  return readFileSync(file, 'utf8').trim();
}

/** Ports that Nacos takes beside the one that it is given: gRPC twice, and Raft. */
const portOffsets = [0, 1000, 1001, -1000] as const;

/** Milliseconds: it needs 7 s on a machine that has nothing else to do. */
const startTimeout = 180_000;
const mostStarts = 3;

/** Starts one. `end` has to be called. */
export async function startNacos(settings: NacosSettings = {}): Promise<Nacos> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-nacos-'));
  const path = await classPath();
  const [port] = await freePorts(portOffsets);
  const address = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const start = async (chosen: NacosSettings = settings): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      await kill();
      try {
        await startOnce(chosen);
        return;
      } catch (error) {
        // On a machine that is busy its database may take longer than it waits for.
        if (attempt === mostStarts) throw error;
      }
    }
  };
  const startOnce = async (chosen: NacosSettings): Promise<void> => {
    mkdirSync(home, { recursive: true });
    const log = openSync(join(home, 'out.log'), 'a');
    const options = {
      'user.home': home,
      'nacos.home': home,
      'nacos.standalone': 'true',
      'nacos.server.main.port': String(port),
      'nacos.remote.grpc.listen.ip': '127.0.0.1',
    };
    const properties = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
    const machine = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms128m', '-Xmx256m'];
    child = spawn('java', [...machine, ...properties, '-cp', `${here}:${path}`, join(here, 'NacosLauncher.java')], {
      cwd: home,
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        NACOS_AUTH: String(chosen.auth ?? true),
        NACOS_ADMIN_AUTH: String(chosen.adminAuth ?? true),
        NACOS_AUTH_CACHE: String(chosen.authCache ?? false),
        NACOS_TOKEN_TTL: String(chosen.tokenTtl ?? 18_000),
      },
    });
    closeSync(log);
    const until = Date.now() + startTimeout;
    while (!(await isReady(address))) {
      if (child.exitCode !== null || Date.now() > until) {
        throw new Error(`Nacos does not start: ${readFileSync(join(home, 'out.log'), 'utf8').slice(-2000)}`);
      }
      await sleep(200);
    }
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  };
  const wipe = (): void => {
    rmSync(home, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return {
    address,
    pid: () => child?.pid,
    start,
    kill,
    wipe,
    end: async () => {
      await kill();
      wipe();
    },
  };
}

async function isReady(address: string): Promise<boolean> {
  const response = await fetch(`${address}/nacos/v3/admin/core/state/readiness`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok === true;
}
