// The files of envoy/istio/ under the discovery server and the agent of a real Istio, by hand:
//   SLUICE_ISTIO_BIN=<folder> npx vitest run --project unit test/istio/real-istio.test.ts
// What it was run with, and how the programs are built, is in docs/istio.md.
import { execFile } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { refusal } from '../e2e/clients/answers.ts';
import { type RawAnswer, bothProtocols } from '../e2e/clients/raw.ts';
import { callMessage } from '../e2e/clients/session.ts';
import { clone, hasEnvoy } from '../launcher/support.ts';
import type { Resource, WasmPluginSpec } from './documents.ts';
import { type Mesh, hasIstio } from './mesh.ts';
import {
  answersWith,
  ask,
  host,
  open,
  shippedBut,
  unfetchable,
  until,
  upgraded,
  useServers,
  useTrial,
} from './trial.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

if (!hasIstio) {
  process.stderr.write('*** SLUICE_ISTIO_BIN is not set: the tests that need a real Istio are SKIPPED. ***\n');
}

const forged = { 'x-mcp-servername': 'weather' };
const defaultDeny = { status: 500, id: null, code: -32603, reason: 'host_mode' };

describe.skipIf(!hasIstio || !hasEnvoy)('a real Istio', () => {
  const servers = useServers();

  describe.each([
    ['pair', ['envoyfilter-hold.yaml']],
    ['pair, without any EnvoyFilter', ['envoyfilter-hold.yaml', 'envoyfilter-limits.yaml']],
    ['hold', ['wasmplugin.yaml']],
  ])('host mode %s', (_, without) => {
    const trial = useTrial(servers, { resources: () => shippedBut(...without) });

    test('serves a client of the SDK', async () => {
      const client = new Client({ name: 'sdk-client', version: '1' });
      const requestInit = { headers: { host } };
      await client.connect(new StreamableHTTPClientTransport(new URL(trial.url), { requestInit }));
      onTestFinished(() => client.close());
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name).sort()).toEqual(['notes_echo', 'weather_echo']);
      for (const name of ['notes', 'weather'] as const) {
        servers[name].forget();
        await client.callTool({ name: `${name}_echo`, arguments: { text: 'x'.repeat(300_000) } });
        expect(servers[name].last('tools/call').body.length).toBeGreaterThan(300_000);
      }
    });

    test.each(bothProtocols)('routes calls over %s, whole, to the server of their prefix', async (http) => {
      const session = await open(trial.url, http);
      for (const name of ['notes', 'weather'] as const) {
        for (const size of [5, 300_000]) {
          servers[name].forget();
          const body = callMessage(`"${name}_echo"`, JSON.stringify({ text: 'y'.repeat(size) }));
          const answer = await ask(trial.url, { http, body, headers: session });
          expect(answer.status).toBe(200);
          const { headers, body: arrived } = servers[name].last('tools/call');
          expect(arrived.toString()).toBe(body.replace(`${name}_`, ''));
          expect(headers['host']).toBe(`${name}.tools.svc.cluster.local:8080`);
        }
      }
    });

    test('answers the request of docs/istio.md', async () => {
      const [command = ''] = /^curl -si (?:.*\\\n)*.*$/m.exec(readFileSync(join(clone, 'docs/istio.md'), 'utf8')) ?? [];
      const env = { ...process.env, GATEWAY: new URL(trial.url).host };
      const { stdout } = await promisify(execFile)('sh', ['-c', command], { env });
      expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(stdout).toMatch(/^x-mcp-gateway: sluice\//m);
      expect(stdout).toMatch(/^mcp-session-id: \S+/m);
    });

    test('writes what the module knows into the access log', async () => {
      const { mesh } = trial;
      await until('the log has the call', mesh, () => mesh.log().includes('"mcp_tool":"weather_echo"'));
    });
  });

  describe('as it is changed', () => {
    const trial = useTrial(servers, { resources: () => shippedBut('envoyfilter-hold.yaml') });
    /** Applies all, the plugins of those names changed, or left out. */
    const apply = (names: readonly string[], change: (plugin: Resource) => Resource | undefined): void => {
      const changed = trial.resources.map((resource) => {
        const isMeant = resource.kind === 'WasmPlugin' && names.includes(resource.metadata.name);
        return isMeant ? change(resource) : resource;
      });
      trial.mesh.apply(changed.filter((resource) => resource !== undefined));
    };
    const both = ['sluice', 'sluice-holder'];
    const calls = (): unknown[] => [...servers.weather.of('tools/call'), ...servers.notes.of('tools/call')];
    const forget = (): void => {
      servers.weather.forget();
      servers.notes.forget();
    };

    test.each([
      ['without the holder', ['sluice-holder'], /^sluice\//, /add one .* sluice-holder and hostMode pair/],
      ['without the decider', ['sluice'], /^sluice\//, /no filter with root id \(pluginName\) sluice /],
      ['without both', both, /^none$/, /No MCP gateway filter decided on this request/],
    ])('%s the defaultDeny is closed, says why, and opens again', async (_, gone, answerer, says) => {
      apply(gone, () => undefined);
      await answersWith(trial, 500);
      forget();
      for (const http of bothProtocols) {
        for (const headers of [{}, forged]) {
          const answer = await ask(trial.url, { http, body: callMessage('"weather_echo"'), headers });
          expect(refusal(answer)).toEqual(defaultDeny);
          expect(answer.headers['x-mcp-gateway'] ?? 'none').toMatch(answerer);
          expect(answer.text).toMatch(says);
        }
      }
      expect(calls()).toEqual([]);
      apply([], upgraded);
      await answersWith(trial, 200);
    });

    test('a module that cannot be fetched closes all of it, until one can be', async () => {
      const session = await open(trial.url, 'HTTP/1.1');
      apply(both, unfetchable);
      await answersWith(trial, 403);
      forget();
      const answer = await ask(trial.url, { body: callMessage('"weather_echo"'), headers: { ...session, ...forged } });
      expect([answer.status, answer.text]).toEqual([403, 'RBAC: access denied']);
      expect(calls()).toEqual([]);
      apply([], upgraded);
      await answersWith(trial, 200);
    });

    test('a configuration that the module refuses changes nothing', async () => {
      apply(['sluice'], (plugin) => {
        const spec = plugin.spec as WasmPluginSpec;
        return { ...plugin, spec: { ...spec, pluginConfig: { ...spec.pluginConfig, nonsense: true } } };
      });
      await until('it is refused', trial.mesh, () => trial.mesh.log().includes('configuration refused: nonsense'));
      await answersWith(trial, 200);
      const session = await open(trial.url, 'HTTP/1.1');
      const answer = await ask(trial.url, { body: callMessage('"notes_echo"'), headers: session });
      expect(answer.status).toBe(200);
    });

    test('serves every call while the two change their module, one after the other', async () => {
      const { mesh, url } = trial;
      const session = await open(url, 'HTTP/1.1');
      const answered = { well: 0, otherwise: [] as string[] };
      const count = (): number => answered.well + answered.otherwise.length;
      const load = { on: true };
      const callers = Array.from({ length: 8 }, async () => {
        while (load.on) {
          const { status, text } = await ask(url, { body: callMessage('"notes_echo"'), headers: session });
          if (status === 200 && text.includes('"result"')) answered.well++;
          else answered.otherwise.push(`${status} ${text.slice(0, 300)}`);
        }
      });
      for (const names of [['sluice'], both, ['sluice-holder'], []]) {
        const [before, pushed] = [await calledOut(mesh), pushes(mesh)];
        apply(names, upgraded);
        await until('it is pushed', mesh, () => pushes(mesh) > pushed);
        // With one of each the two are in two VMs, and the decider serves by callouts.
        const isApart = names.length === 1;
        await until('calls go out as callouts', mesh, async () => !isApart || (await calledOut(mesh)) > before);
        const since = count();
        await until('1000 calls were answered since', mesh, () => count() > since + 1000);
      }
      load.on = false;
      await Promise.all(callers);
      expect(answered.otherwise).toEqual([]);
    });
  });

  describe('between the other filters of its gateway', () => {
    const trial = useTrial(servers, {
      resources: () => {
        const shipped = shippedBut('envoyfilter-hold.yaml');
        const decider = shipped.find(({ metadata }) => metadata.name === 'sluice')?.spec as WasmPluginSpec;
        decider.pluginConfig['identity'] = { jwt: 'payload', subject: 'sub', issuer: 'iss' };
        return [
          ...shipped,
          policy('RequestAuthentication', { jwtRules: [{ issuer, jwks, forwardOriginalToken: true }] }),
          policy('AuthorizationPolicy', {
            action: 'DENY',
            rules: [{ when: [{ key: 'request.headers[x-mcp-servername]', values: ['notes'] }] }],
          }),
        ];
      },
      ready: 401,
    });

    test.each(bothProtocols)('binds sessions to tokens, and policies see its headers, over %s', async (http) => {
      const session = await open(trial.url, http, { authorization: token('alice') });
      const call = (name: string, subject: string): Promise<RawAnswer> => {
        const headers = { ...session, authorization: token(subject) };
        return ask(trial.url, { http, body: callMessage(`"${name}"`), headers });
      };
      expect((await call('weather_echo', 'alice')).status).toBe(200);
      expect(refusal(await call('weather_echo', 'mallory'))).toMatchObject({ reason: 'session_unknown' });
      servers.notes.forget();
      const denied = await call('notes_echo', 'alice');
      expect([denied.status, denied.text]).toEqual([403, 'RBAC: access denied']);
      expect(servers.notes.requests).toEqual([]);
    });
  });
});

/** How many calls went to their server as callouts. */
async function calledOut(mesh: Mesh): Promise<number> {
  return Number(/sluice_forwards_total\.way=callout\.end: (\d+)/.exec(await mesh.stats())?.[1] ?? 0);
}

function pushes(mesh: Mesh): number {
  return mesh.log().split('ECDS: PUSH').length;
}

const issuer = 'https://issuer.example.com';
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', alg: 'RS256' }] });

function token(subject: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'RS256', kid: '1' })}.${part({ iss: issuer, sub: subject, exp: 4_102_444_800 })}`;
  return `Bearer ${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

function policy(kind: string, spec: object): Resource {
  const selector = { matchLabels: { istio: 'ingressgateway' } };
  const metadata = { name: 'mcp', namespace: 'istio-ingress' };
  return { apiVersion: 'security.istio.io/v1', kind, metadata, spec: { selector, ...spec } };
}
