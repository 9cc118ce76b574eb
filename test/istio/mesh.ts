// A real Istio on loopback, without Kubernetes: its discovery server reads files, its agent runs an Envoy as an ingress
// gateway. For tests that are run by hand: docs/istio.md says how to build the two programs.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePorts } from '../free-ports.ts';
import type { Resource } from './documents.ts';

/** Folder with `pilot-discovery`, `pilot-agent`, and `envoy_bootstrap.json` from the same sources. */
const programs = process.env['SLUICE_ISTIO_BIN'] ?? '';

export const hasIstio = programs !== '';

export interface MeshOptions {
  readonly envoy: string;
  readonly meshConfig: Readonly<Record<string, unknown>>;
  readonly resources: readonly Resource[];
  /** Of the agent, and so of the Envoy that it starts. */
  readonly env: Readonly<Record<string, string>>;
}

export interface Mesh {
  /** Replaces all resources at once; the discovery server notices within some seconds. */
  apply(resources: readonly Resource[]): void;
  /** @throws Error where one of them ended */
  expectAlive(): void;
  /** What the agent and its Envoy wrote, and what the discovery server did. */
  log(): string;
  /** Envoy's counters and gauges, as text. */
  stats(): Promise<string>;
  stop(): Promise<void>;
}

/** By this port, and by no other, the agent knows that neither the discovery server nor its CA has a certificate. */
const plaintext = 15010;

/** An address of loopback for each process that runs tests, as all of them want that port. */
const discoveryServer = `127.0.0.${1 + Number(process.env['VITEST_POOL_ID'] ?? 0)}:${plaintext}`;

/** Where the agent keeps the modules that it fetched: a constant of its own, not of ours. */
const moduleCache = '/var/lib/istio/data';

/** Starts both; whoever asks the gateway has to wait until it answers. */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  for (const file of ['pilot-discovery', 'pilot-agent', 'envoy_bootstrap.json']) {
    if (!existsSync(join(programs, file))) throw new Error(`SLUICE_ISTIO_BIN: no ${file} in ${programs}`);
  }
  mkdirSync(moduleCache, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'sluice-istio-'));
  const children: ChildProcess[] = [];
  const log = (): string => readFileSync(join(folder, 'log'), 'utf8');
  const run = (program: string, args: readonly string[], env: Readonly<Record<string, string>>): void => {
    const cwd = join(folder, program); // both write into their working directory
    mkdirSync(cwd);
    const output = openSync(join(folder, 'log'), 'a'); // a file: the access log opens /dev/stdout, which a socket refuses
    children.push(spawn(join(programs, program), args, { cwd, env, stdio: ['ignore', output, output] }));
    closeSync(output);
  };
  const apply = (resources: readonly Resource[]): void => {
    const file = join(folder, 'resources.tmp');
    writeFileSync(file, resources.map((resource) => stringify(resource)).join('---\n'));
    renameSync(file, join(folder, 'config/resources.yaml'));
  };
  const [http, monitoring, control, admin, status, health, prometheus] = await freePorts([
    0, 1, 2, 3, 4, 5, 6,
  ] as const);

  mkdirSync(join(folder, 'config'));
  apply(options.resources);
  writeFileSync(join(folder, 'mesh.yaml'), stringify({ ...options.meshConfig, rootNamespace: 'istio-system' }));
  run(
    'pilot-discovery',
    [
      'discovery',
      ...['--configDir', join(folder, 'config'), '--registries', '', '--meshConfig', join(folder, 'mesh.yaml')],
      ...['--httpAddr', `127.0.0.1:${http}`, '--grpcAddr', discoveryServer, '--secureGRPCAddr', ''],
      ...['--httpsAddr', '', '--monitoringAddr', `127.0.0.1:${monitoring}`],
      ...['--ctrlz_address', '127.0.0.1', '--ctrlz_port', String(control)],
    ],
    {
      POD_NAME: 'istiod',
      POD_NAMESPACE: 'istio-system',
      ENABLE_CA_SERVER: 'false',
      // Filters of Istio's own Envoy build, which a stock Envoy does not have.
      PILOT_ENABLE_ALPN_FILTER: 'false',
      PILOT_ENABLE_METADATA_EXCHANGE: 'false',
    },
  );
  const proxyConfig = {
    discoveryAddress: discoveryServer,
    controlPlaneAuthPolicy: 'NONE',
    binaryPath: options.envoy,
    configPath: join(folder, 'envoy'),
    proxyAdminPort: admin,
    statusPort: status,
    concurrency: 2,
    terminationDrainDuration: '1s',
  };
  const bootstrap = join(programs, 'envoy_bootstrap.json');
  run('pilot-agent', ['proxy', 'router', '--domain', 'istio-ingress.svc.cluster.local', '--templateFile', bootstrap], {
    ...options.env,
    POD_NAME: 'gateway',
    POD_NAMESPACE: 'istio-ingress',
    INSTANCE_IP: '127.0.0.1',
    ISTIO_METAJSON_LABELS: JSON.stringify({ istio: 'ingressgateway' }),
    ENVOY_STATUS_PORT: String(health),
    ENVOY_PROMETHEUS_PORT: String(prometheus),
    PROXY_CONFIG: JSON.stringify(proxyConfig),
  });
  return {
    apply,
    expectAlive: () => {
      const dead = children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
      if (dead !== undefined) throw new Error(`${dead.spawnfile} ended: ${log().slice(-3000)}`);
    },
    log,
    stats: async () => (await fetch(`http://127.0.0.1:${admin}/stats`)).text(),
    stop: async () => {
      await Promise.all(children.map(terminate));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The agent ends its Envoy with itself. */
async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const deadline = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await exited;
  clearTimeout(deadline);
}
