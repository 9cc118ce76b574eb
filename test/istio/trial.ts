// A gateway under a real Istio, as a test needs it: the shipped files, two MCP servers, and a plugin server with two versions.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import type { ServedModule } from '../../envoy/render/targets/target.ts';
import { type RunningPluginServer, loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { type Http, type RawAnswer, type RawRequest, send } from '../e2e/clients/raw.ts';
import { initializeMessage, mcpHeaders } from '../e2e/clients/session.ts';
import { sharedKey } from '../e2e/shared-key.ts';
import { type Scripted, startScripted } from '../e2e/upstreams/scripted.ts';
import { freePort } from '../free-ports.ts';
import { clone, envoyBinary } from '../launcher/support.ts';
import {
  type EnvoyFilterSpec,
  type GatewaySpec,
  type Resource,
  type WasmPluginSpec,
  heldFilter,
  meshConfig,
  resourceFiles,
  resourcesOf,
} from './documents.ts';
import { type Mesh, startMesh } from './mesh.ts';

/** What the Gateway serves; requests say it in their host header, and go to loopback. */
export const host = 'mcp.example.com';

const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
const module = readFileSync(join(clone, 'build/plugin.wasm'));
/** The same module under another digest: a custom section more, which no engine looks into. */
const other = Buffer.concat([module, Buffer.from([0, 3, 2]), Buffer.from('v2')]);
const artifacts = [loadArtifact('sluice', version, module), loadArtifact('sluice', '99.0.0', other)] as const;

/** The module as what is rendered names it. @param server origin of the plugin server in the cluster */
export function servedModule(server: string): ServedModule {
  const [{ name, sha256 }] = artifacts;
  return { name, version, sha256, server, path: `/plugins/${name}/${version}/plugin.wasm` };
}

/** A WasmPlugin with the other version. */
export function upgraded(resource: Resource): Resource {
  const [, { version: newer, sha256 }] = artifacts;
  return withModule(resource, newer, sha256);
}

/** A WasmPlugin with a version that the plugin server does not have. */
export function unfetchable(resource: Resource): Resource {
  return withModule(resource, '0.0.0', '0'.repeat(64));
}

function withModule(resource: Resource, other: string, sha256: string): Resource {
  const spec = resource.spec as WasmPluginSpec;
  return { ...resource, spec: { ...spec, url: spec.url.replace(`/${version}/`, `/${other}/`), sha256 } };
}

/** The servers of all trials of a file, by the names that the shipped files have for them. */
export interface Servers {
  readonly weather: Scripted;
  readonly notes: Scripted;
  readonly pluginServer: RunningPluginServer;
}

export function useServers(): Servers {
  const servers = {} as { -readonly [Name in keyof Servers]: Servers[Name] };
  beforeAll(async () => {
    servers.pluginServer = await startPluginServer({ artifacts: [...artifacts], host: '127.0.0.1', port: 0 });
    servers.weather = await startScripted({ tools: ['echo'] });
    servers.notes = await startScripted({ tools: ['echo'] });
  });
  afterAll(async () => {
    await Promise.all([servers.weather.stop(), servers.notes.stop(), servers.pluginServer.close()]);
  });
  return servers;
}

export interface TrialOptions {
  /** What is applied, as it is in a cluster: its addresses are replaced by those of this machine. */
  readonly resources: () => readonly Resource[];
  /** What else is in the environment of the gateway. */
  readonly env?: () => Readonly<Record<string, string>>;
  /** What the gateway answers to `initialize` once it is up; 200 unless said otherwise. */
  readonly ready?: number;
}

export interface Trial {
  readonly mesh: Mesh;
  /** Of the MCP endpoint. */
  readonly url: string;
  /** All that was applied. */
  readonly resources: readonly Resource[];
}

/** A trial for the tests of a block; not there before its tests. */
export function useTrial(servers: Servers, options: TrialOptions): Trial {
  const trial = {} as { -readonly [Name in keyof Trial]: Trial[Name] };
  beforeAll(async () => {
    const port = await freePort();
    trial.url = `http://127.0.0.1:${port}/mcp`;
    trial.resources = [
      ...options.resources().map((resource) => movedHere(resource, port, servers.pluginServer.url)),
      serviceEntry('weather.tools.svc.cluster.local', 8080, servers.weather.url),
      serviceEntry('notes.tools.svc.cluster.local', 8080, servers.notes.url),
    ];
    trial.mesh = await startMesh({
      envoy: envoyBinary(),
      meshConfig: meshConfig(),
      resources: trial.resources,
      env: { ...sharedKey.env, ...options.env?.() },
    });
    await answersWith(trial, options.ready ?? 200);
  });
  // Where the start failed half-way, too.
  afterAll(() => (trial as Partial<Trial>).mesh?.stop());
  return trial;
}

/** The documents of envoy/istio/ but those of the files named. */
export function shippedBut(...without: readonly string[]): Resource[] {
  return resourceFiles.filter((file) => !without.includes(file)).flatMap((file) => resourcesOf(file));
}

/** @param port of the gateway @param pluginServer where the agent can fetch the module */
function movedHere(resource: Resource, port: number, pluginServer: string): Resource {
  const moved = structuredClone(resource);
  const here = (url: string): string => new URL(new URL(url).pathname, pluginServer).href;
  const { kind, metadata, spec } = moved;
  if (kind === 'Gateway') {
    const [server] = (spec as GatewaySpec).servers;
    if (server !== undefined) Object.assign(server, { port: { ...server.port, number: port }, bind: '127.0.0.1' });
  }
  if (kind === 'WasmPlugin') {
    const plugin = spec as WasmPluginSpec;
    plugin.url = here(plugin.url);
  }
  if (kind === 'TrafficExtension') {
    const { wasm } = spec as unknown as { wasm: { url: string } };
    wasm.url = here(wasm.url);
  }
  if (metadata.name === 'sluice-hold') {
    const { http_uri } = heldFilter(spec as EnvoyFilterSpec).vm_config.code.remote;
    http_uri.uri = here(http_uri.uri);
  }
  return moved;
}

/** A Service of a cluster, which is a server of this machine. @param host its full name in the cluster @param url of the server */
export function serviceEntry(host: string, port: number, url: string): Resource {
  const [name = '', namespace = ''] = host.split('.');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace },
    spec: {
      hosts: [host],
      ports: [{ number: port, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '127.0.0.1', ports: { http: Number(new URL(url).port) } }],
    },
  };
}

/** One request under the gateway's host name. */
export function ask(url: string, request: RawRequest): Promise<RawAnswer> {
  const authority = request.http === 'HTTP/2' ? { ':authority': host } : { host };
  return send(url, { ...request, headers: { ...mcpHeaders, ...authority, ...request.headers } });
}

/** The header of a new session. */
export async function open(
  url: string,
  http: Http,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ 'mcp-session-id': string }> {
  const answer = await ask(url, { http, body: initializeMessage(), headers });
  return { 'mcp-session-id': String(answer.headers['mcp-session-id']) };
}

export function answersWith({ url, mesh }: Trial, status: number): Promise<void> {
  return until(`initialize is answered with ${status}`, mesh, async () => {
    const answer = await ask(url, { body: initializeMessage() }).catch(() => undefined);
    return answer?.status === status;
  });
}

/** Istio's files are polled, and its pushes debounced: this may take longer than a test's usual patience. */
export async function until(what: string, mesh: Mesh, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    mesh.expectAlive();
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}; the log ends ${mesh.log().slice(-3000)}`);
    await sleep(100);
  }
}
