// The files of envoy/istio/ under the discovery server and the agent of a real Istio, by hand:
//   SLUICE_ISTIO_BIN=<folder> npx vitest run --project unit test/istio/real-istio.test.ts
// What it was run with, and how the programs are built, is in docs/istio.md.
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type RunningPluginServer, loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { refusal } from '../e2e/clients/answers.ts';
import { type Http, type RawAnswer, type RawRequest, bothProtocols, send } from '../e2e/clients/raw.ts';
import { callMessage, initializeMessage, mcpHeaders } from '../e2e/clients/session.ts';
import { type Scripted, startScripted } from '../e2e/upstreams/scripted.ts';
import { clone, envoyBinary, hasEnvoy } from '../launcher/support.ts';
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
import { type Mesh, freePort, hasIstio, startMesh } from './mesh.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

if (!hasIstio) {
  process.stderr.write('*** SLUICE_ISTIO_BIN is not set: the tests that need a real Istio are SKIPPED. ***\n');
}

const host = 'mcp.example.com';
const forged = { 'x-mcp-servername': 'weather' };
const door = { status: 500, id: null, code: -32603, reason: 'host_mode' };
const key = Buffer.alloc(32, 7).toString('base64url');

const module = readFileSync(join(clone, 'build/plugin.wasm'));
/** The same module under another digest: a custom section more, which no engine looks into. */
const other = Buffer.concat([module, Buffer.from([0, 3, 2]), Buffer.from('v2')]);
const artifacts = [loadArtifact('sluice', '0.1.0', module), loadArtifact('sluice', '0.1.1', other)] as const;

describe.skipIf(!hasIstio || !hasEnvoy)('a real Istio', () => {
  let pluginServer: RunningPluginServer;
  let weather: Scripted;
  let notes: Scripted;
  beforeAll(async () => {
    pluginServer = await startPluginServer({ artifacts: [...artifacts], host: '127.0.0.1', port: 0 });
    weather = await startScripted({ tools: ['echo'] });
    notes = await startScripted({ tools: ['echo'] });
  });
  afterAll(async () => {
    await Promise.all([weather.stop(), notes.stop(), pluginServer.close()]);
  });

  /** The shipped files but those named, with addresses of this machine. */
  function resources(port: number, without: readonly string[]): Resource[] {
    const shipped = resourceFiles.filter((file) => !without.includes(file)).flatMap((file) => resourcesOf(file));
    for (const { kind, metadata, spec } of shipped) {
      if (kind === 'Gateway') {
        const [server] = (spec as GatewaySpec).servers;
        if (server !== undefined) Object.assign(server, { port: { ...server.port, number: port }, bind: '127.0.0.1' });
      }
      if (kind === 'WasmPlugin') {
        const plugin = spec as WasmPluginSpec;
        plugin.url = new URL(new URL(plugin.url).pathname, pluginServer.url).href;
      }
      if (metadata.name === 'sluice-hold') {
        const { http_uri } = heldFilter(spec as EnvoyFilterSpec).vm_config.code.remote;
        http_uri.uri = new URL(new URL(http_uri.uri).pathname, pluginServer.url).href;
      }
    }
    return [...shipped, serviceEntry('weather', weather), serviceEntry('notes', notes)];
  }

  interface Trial {
    readonly mesh: Mesh;
    readonly url: string;
    readonly all: readonly Resource[];
  }

  async function startTrial(
    without: readonly string[],
    adjust: (shipped: readonly Resource[]) => readonly Resource[] = (shipped) => shipped,
    ready = 200,
  ): Promise<Trial> {
    const port = await freePort();
    const all = adjust(resources(port, without));
    const env = { SLUICE_KEY_1: key };
    const mesh = await startMesh({ envoy: envoyBinary(), meshConfig: meshConfig(), resources: all, env });
    const url = `http://127.0.0.1:${port}/mcp`;
    try {
      await answersWith(url, ready, mesh);
    } catch (error) {
      await mesh.stop();
      throw error;
    }
    return { mesh, url, all };
  }

  describe.each([
    ['pair', ['envoyfilter-hold.yaml']],
    ['pair, without any EnvoyFilter', ['envoyfilter-hold.yaml', 'envoyfilter-limits.yaml']],
    ['hold', ['wasmplugin.yaml']],
  ])('host mode %s', (_, without) => {
    let trial: Trial;
    beforeAll(async () => {
      trial = await startTrial(without);
    });
    afterAll(() => trial.mesh.stop());

    test('serves a client of the SDK', async () => {
      const client = await connect(trial.url);
      onTestFinished(() => client.close());
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).sort()).toEqual(['notes_echo', 'weather_echo']);
      for (const [name, server] of [['notes_echo', notes] as const, ['weather_echo', weather] as const]) {
        server.forget();
        await client.callTool({ name, arguments: { text: 'x'.repeat(300_000) } });
        expect(server.last('tools/call').body.length).toBeGreaterThan(300_000);
      }
    });

    test.each(bothProtocols)('routes calls over %s, whole, to the server of their prefix', async (http) => {
      const session = await open(trial.url, http);
      for (const [name, server] of [['notes_echo', notes] as const, ['weather_echo', weather] as const]) {
        for (const size of [5, 300_000]) {
          server.forget();
          const body = callMessage(`"${name}"`, JSON.stringify({ text: 'y'.repeat(size) }));
          const answer = await ask(trial.url, { http, body, headers: { 'mcp-session-id': session } });
          expect(answer.status).toBe(200);
          const { headers, body: arrived } = server.last('tools/call');
          expect(arrived.toString()).toBe(body.replace(name, 'echo'));
          expect(headers['host'] ?? headers[':authority']).toMatch(/\.tools\.svc\.cluster\.local:8080$/);
        }
      }
    });

    test('writes what the module knows into the access log', async () => {
      await until('the log has the call', trial.mesh, () => trial.mesh.log().includes('"mcp_tool":"weather_echo"'));
    });
  });

  describe('as it is taken apart', () => {
    let trial: Trial;
    beforeAll(async () => {
      trial = await startTrial(['envoyfilter-hold.yaml']);
    });
    afterAll(() => trial.mesh.stop());

    test.each([
      ['without the holder', ['sluice-holder'], 'sluice/0.1.0', /add one .* sluice-holder and hostMode pair/],
      ['without the decider', ['sluice'], 'sluice/0.1.0', /no filter with root id \(pluginName\) sluice /],
      ['without both', ['sluice', 'sluice-holder'], undefined, /No MCP gateway filter decided on this request/],
    ])('%s the door is closed, says why, and opens again', async (_, gone, answerer, says) => {
      const { mesh, url, all } = trial;
      mesh.apply(all.filter(({ kind, metadata }) => kind !== 'WasmPlugin' || !gone.includes(metadata.name)));
      await answersWith(url, 500, mesh);
      for (const server of [weather, notes]) server.forget();
      for (const http of bothProtocols) {
        for (const headers of [{}, forged]) {
          const answer = await ask(url, { http, body: callMessage('"weather_echo"'), headers });
          expect(refusal(answer)).toEqual(door);
          expect(answer.headers['x-mcp-gateway']).toBe(answerer);
          expect(answer.text).toMatch(says);
        }
      }
      expect([...weather.requests, ...notes.requests]).toEqual([]);
      mesh.apply(all);
      await answersWith(url, 200, mesh);
    });

    test('a module that cannot be fetched closes all of it, until one can be', async () => {
      const { mesh, url, all } = trial;
      const nowhere = (resource: Resource): Resource =>
        resource.kind === 'WasmPlugin' ? withModule(resource, '0.9.9', '0'.repeat(64)) : resource;
      for (const server of [weather, notes]) server.forget();
      mesh.apply(all.map(nowhere));
      await answersWith(url, 403, mesh);
      expect([...weather.requests, ...notes.requests].filter(({ rpcMethod }) => rpcMethod === 'tools/call')).toEqual(
        [],
      );
      mesh.apply(all);
      await answersWith(url, 200, mesh);
    });

    test('serves every call while the two change their module, one after the other', async () => {
      const { mesh, url, all } = trial;
      const session = await open(url, 'HTTP/1.1');
      const answered = { well: 0, otherwise: [] as string[] };
      const count = (): number => answered.well + answered.otherwise.length;
      const load = { on: true };
      const calls = (async () => {
        while (load.on) {
          const request = { body: callMessage('"notes_echo"', '{}'), headers: { 'mcp-session-id': session } };
          const { status, text } = await ask(url, request);
          if (status === 200 && text.includes('"result"')) answered.well++;
          else answered.otherwise.push(`${status} ${text.slice(0, 300)}`);
        }
      })();
      for (const names of [['sluice'], ['sluice', 'sluice-holder'], ['sluice-holder'], []]) {
        const [before, pushed] = [await calledOut(mesh), occurrences(mesh.log(), 'ECDS: PUSH')];
        mesh.apply(
          all.map((resource) => {
            const changes = names.includes(resource.metadata.name) && resource.kind === 'WasmPlugin';
            return changes ? withModule(resource, '0.1.1', artifacts[1].sha256) : resource;
          }),
        );
        await until('it is pushed', mesh, () => occurrences(mesh.log(), 'ECDS: PUSH') > pushed);
        // With one of each the two are in two VMs, and the decider serves by callouts.
        if (names.length === 1)
          await until('calls go out as callouts', mesh, async () => (await calledOut(mesh)) > before);
        const since = count();
        await until('200 calls were answered since', mesh, () => count() > since + 200);
      }
      load.on = false;
      await calls;
      expect(answered.otherwise).toEqual([]);
    });
  });

  describe('between the other filters of its gateway', () => {
    const issuer = 'https://issuer.example.com';
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const token = (subject: string): string => {
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const signed = `${part({ alg: 'RS256', kid: '1' })}.${part({ iss: issuer, sub: subject, exp: 4_102_444_800 })}`;
      return `Bearer ${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    };
    const selector = { matchLabels: { istio: 'ingressgateway' } };
    const namespace = 'istio-ingress';
    const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256' }] });
    const policies: readonly Resource[] = [
      {
        apiVersion: 'security.istio.io/v1',
        kind: 'RequestAuthentication',
        metadata: { name: 'mcp', namespace },
        spec: { selector, jwtRules: [{ issuer, jwks, forwardOriginalToken: true }] },
      },
      {
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'mcp', namespace },
        spec: {
          selector,
          action: 'DENY',
          rules: [{ when: [{ key: 'request.headers[x-mcp-servername]', values: ['notes'] }] }],
        },
      },
    ];
    let trial: Trial;
    beforeAll(async () => {
      const adjust = (shipped: readonly Resource[]): Resource[] => {
        const plugin = shipped.find(({ metadata }) => metadata.name === 'sluice')?.spec as WasmPluginSpec;
        plugin.pluginConfig['identity'] = { jwt: 'payload', subject: 'sub', issuer: 'iss' };
        return [...shipped, ...policies];
      };
      trial = await startTrial(['envoyfilter-hold.yaml'], adjust, 401);
    });
    afterAll(() => trial.mesh.stop());

    test.each(bothProtocols)(
      'binds sessions to verified tokens, and policies see its headers, over %s',
      async (http) => {
        const { url } = trial;
        const authorization = token('alice');
        const opened = await ask(url, { http, body: initializeMessage(), headers: { authorization } });
        const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
        const call = (name: string, subject: string): Promise<RawAnswer> => {
          const headers = { ...session, authorization: token(subject) };
          return ask(url, { http, body: callMessage(`"${name}"`), headers });
        };
        expect((await call('weather_echo', 'alice')).status).toBe(200);
        expect(refusal(await call('weather_echo', 'mallory'))).toMatchObject({ reason: 'session_unknown' });
        notes.forget();
        const denied = await call('notes_echo', 'alice');
        expect([denied.status, denied.text]).toEqual([403, 'RBAC: access denied']);
        expect(notes.requests).toEqual([]);
      },
    );
  });
});

/** A WasmPlugin with another version of the module. */
function withModule(resource: Resource, version: string, sha256: string): Resource {
  const spec = resource.spec as WasmPluginSpec;
  return { ...resource, spec: { ...spec, url: spec.url.replace('0.1.0', version), sha256 } };
}

/** How many calls went to their server as callouts. */
async function calledOut(mesh: Mesh): Promise<number> {
  return Number(/sluice_forwards_total\.way=callout\.end: (\d+)/.exec(await mesh.stats())?.[1] ?? 0);
}

function serviceEntry(name: string, server: Scripted): Resource {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace: 'tools' },
    spec: {
      hosts: [`${name}.tools.svc.cluster.local`],
      ports: [{ number: 8080, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '127.0.0.1', ports: { http: Number(new URL(server.url).port) } }],
    },
  };
}

/** One request under the gateway's host name. */
function ask(url: string, request: RawRequest): ReturnType<typeof send> {
  const authority = request.http === 'HTTP/2' ? { ':authority': host } : { host };
  return send(url, { ...request, headers: { ...mcpHeaders, ...authority, ...request.headers } });
}

async function open(url: string, http: Http): Promise<string> {
  const answer = await ask(url, { http, body: initializeMessage() });
  return String(answer.headers['mcp-session-id']);
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ name: 'sdk-client', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { host } } }));
  return client;
}

function occurrences(text: string, what: string): number {
  return text.split(what).length - 1;
}

function answersWith(url: string, status: number, mesh: Mesh): Promise<void> {
  return until(`initialize is answered with ${status}`, mesh, async () => {
    const answer = await ask(url, { body: initializeMessage() }).catch(() => undefined);
    return answer?.status === status;
  });
}

/** Istio's files are polled, and its pushes debounced: this takes longer than a test's usual patience. */
async function until(what: string, mesh: Mesh, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    mesh.expectAlive();
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}; the log ends ${mesh.log().slice(-3000)}`);
    await sleep(100);
  }
}
