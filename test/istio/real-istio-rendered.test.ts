// What `sluice render` makes, under the discovery server and the agent of a real Istio; by hand, as real-istio.test.ts.
// Tried is what depends on what Istio puts around the module: tokens, TLS, a catalog that the module asks for, the trace of headers.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readConfiguration } from '../../envoy/check/configuration.ts';
import { type TargetName, optionsFor, rendered } from '../../envoy/render/targets/index.ts';
import { message, refusal, toolNames } from '../e2e/clients/answers.ts';
import { type RawAnswer, bothProtocols, send } from '../e2e/clients/raw.ts';
import { callMessage, initializeMessage, listMessage } from '../e2e/clients/session.ts';
import { type CapabilityKeys, capabilityIssuer, capabilityKeys, issuer } from '../e2e/capability-keys.ts';
import { jwt, publicKeys, signed } from '../e2e/token-filter.ts';
import { type CatalogServer, startCatalogs } from '../e2e/upstreams/catalogs.ts';
import { makeAuthority, makeCertificate } from '../e2e/upstreams/certificates.ts';
import { type RestService, startRestService } from '../e2e/upstreams/rest.ts';
import { type Scripted, startScripted } from '../e2e/upstreams/scripted.ts';
import { parseEvents } from '../filter/changed-lists.ts';
import { hasEnvoy } from '../launcher/support.ts';
import { type Resource, documentsIn } from './documents.ts';
import { hasIstio } from './mesh.ts';
import { type Trial, ask, host, open, serviceEntry, servedModule, until, useServers, useTrial } from './trial.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const common = { hosts: [host], sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] } };
const pluginServer = 'plugin-server.sluice.svc.cluster.local';

/** The module by one target, and what goes with it. */
function renderedFor(target: TargetName, configuration: object): Resource[] {
  const text = Buffer.from(JSON.stringify(configuration));
  const file = readConfiguration('sluice.yaml', text, 'any').configuration?.file;
  if (file === undefined) throw new Error('the configuration is not read');
  const gateway = { ...file, module: servedModule(`http://${pluginServer}:8801`) };
  const options = optionsFor(target, {}, '--');
  return [target, 'istio-services' as const].flatMap((each) => documentsIn(rendered(each, gateway, options)));
}

describe.skipIf(!hasIstio || !hasEnvoy)('a real Istio, with what is rendered', () => {
  const servers = useServers();

  describe.each(['wasmplugin', 'trafficextension', 'envoyfilter'] as const)('%s: tokens', (target) => {
    const audiences = ['sluice'];
    const page = 'https://inspector.example.com';
    let keys: Server, listKeys: CapabilityKeys;
    beforeAll(async () => {
      listKeys = capabilityKeys();
      keys = createServer((_, response) => response.end(publicKeys())).listen(0, '127.0.0.1');
      await once(keys, 'listening');
    });
    afterAll(() => {
      keys.close();
      listKeys.remove();
    });
    const trial = useTrial(servers, {
      resources: () => {
        // No certificate of that name is here: the discovery server asks for the keys over HTTP.
        const url = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;
        return renderedFor(target, {
          ...common,
          publicUrl: `https://${host}`,
          origins: [page],
          headers: { traceToMeta: true },
          auth: {
            authorizationServers: [issuer],
            scopes: ['tools:call'],
            issuers: [{ issuer, audiences, jwks: { url, cluster: 'keys' } }],
          },
          allowedCapabilities: {
            absent: 'allow',
            issuers: [{ issuer: capabilityIssuer, audiences, jwks: { file: listKeys.capabilities } }],
          },
          servers: [
            { name: 'weather', url: 'http://weather.tools.svc.cluster.local:8080/mcp' },
            { name: 'notes', url: 'http://notes.tools.svc.cluster.local:8080/mcp' },
          ],
        });
      },
      ready: 401,
    });

    const good = { iss: issuer, sub: 'ada', aud: 'sluice' };
    const bearer = (claims: object): { authorization: string } => ({ authorization: `Bearer ${jwt(claims)}` });
    const metadata = `resource_metadata="https://${host}/.well-known/oauth-protected-resource/mcp"`;
    const introduced = (headers: Record<string, string>): Promise<RawAnswer> =>
      ask(trial.url, { body: initializeMessage(), headers });

    test.each([
      ['that expired', { ...good, exp: 1_000_000_000 }, 'Jwt is expired'],
      ['of another audience', { ...good, aud: 'other' }, 'Audiences in Jwt are not allowed'],
      ['of another issuer', { ...good, iss: 'https://evil.example.com' }, 'Jwt issuer is not configured'],
    ])(
      'one %s is refused with the whole challenge, which pages of allowed origins can read',
      async (_, claims, cause) => {
        const told = `jwt_authn_access_denied{${cause.replaceAll(' ', '_')}}`;
        const whole = `Bearer error="invalid_token", error_description="${told}", scope="tools:call", ${metadata}`;
        const answer = await introduced({ ...bearer(claims), origin: page });
        expect([answer.status, answer.headers['www-authenticate'], answer.text]).toEqual([401, whole, cause]);
        expect(answer.headers['access-control-allow-origin']).toBe(page);
        const elsewhere = await introduced({ ...bearer(claims), origin: 'https://evil.example.com' });
        expect([elsewhere.status, elsewhere.headers['access-control-allow-origin']]).toEqual([401, undefined]);
      },
    );

    test('none at all, and one without a subject, are the module’s to refuse', async () => {
      const none = await introduced({ origin: page });
      expect([none.status, none.headers['www-authenticate']]).toEqual([401, `Bearer scope="tools:call", ${metadata}`]);
      expect(none.headers['access-control-allow-origin']).toBe(page);
      const nobody = await introduced(bearer({ iss: issuer, aud: 'sluice' }));
      expect(nobody.status).toBe(401);
      expect(nobody.headers['www-authenticate']).toContain('error_description="it has no subject or no issuer"');
    });

    test.each(bothProtocols)('a good one opens a session, whose calls carry their trace, over %s', async (http) => {
      const session = await open(trial.url, http, bearer(good));
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      servers.notes.forget();
      const headers = { ...session, ...bearer(good), traceparent };
      const answer = await ask(trial.url, { http, body: callMessage('"notes_echo"'), headers });
      expect(answer.status).toBe(200);
      const { body, headers: arrived } = servers.notes.last('tools/call');
      expect(body.toString()).toBe(
        callMessage('"echo"').replace('"name"', `"_meta":{"traceparent":"${traceparent}"},"name"`),
      );
      expect(arrived).not.toHaveProperty('authorization');
    });

    test('a list in x-mcp-authorized narrows what its caller sees', async () => {
      const session = await open(trial.url, 'HTTP/1.1', bearer(good));
      const seen = async (more: Record<string, string>): Promise<string[]> =>
        toolNames(await ask(trial.url, { body: listMessage(), headers: { ...session, ...bearer(good), ...more } }));
      const list = { iss: capabilityIssuer, aud: 'sluice', 'allowed-capabilities': '{"tools":{"notes":["echo"]}}' };
      expect((await seen({})).sort()).toEqual(['notes_echo', 'weather_echo']);
      expect(await seen({ 'x-mcp-authorized': signed(list, listKeys.signer.privateKey) })).toEqual(['notes_echo']);
      expect(await seen({ 'x-mcp-authorized': jwt(list) })).toEqual([]);
    });
  });

  describe('servers behind https', () => {
    let folder: string, named: Scripted, impostor: Scripted;
    const authorities = (): string => join(folder, 'authorities.pem');
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-istio-tls-'));
      const authority = await makeAuthority('known');
      writeFileSync(authorities(), authority.cert);
      const tls = await makeCertificate(authority, { names: ['named.example.com'] });
      named = await startScripted({ tools: ['echo'], tls });
      impostor = await startScripted({ tools: ['echo'], tls });
    });
    afterAll(async () => {
      await Promise.all([named.stop(), impostor.stop()]);
      rmSync(folder, { recursive: true });
    });
    const trial = useTrial(servers, {
      resources: () =>
        renderedFor('wasmplugin', {
          ...common,
          servers: [
            { name: 'named', url: 'https://named.example.com/mcp' },
            { name: 'impostor', url: 'https://other.example.com/mcp' },
          ],
        }).map(({ kind, metadata, spec, ...resource }) => ({
          ...resource,
          kind,
          metadata,
          spec: {
            ...spec,
            // No resolver knows these names, and no authority of this machine has certified them.
            ...(kind === 'ServiceEntry' && leadingTo((metadata.name === 'named' ? named : impostor).url)),
            ...(kind === 'DestinationRule' && trusting(authorities(), spec as unknown as DestinationRuleSpec)),
          },
        })),
    });

    test.each(bothProtocols)(
      'one is called, and whoever has another name in its certificate is not, over %s',
      async (http) => {
        const session = await open(trial.url, http);
        expect(toolNames(await ask(trial.url, { http, body: listMessage(), headers: session }))).toEqual([
          'named_echo',
        ]);
        const called = await ask(trial.url, { http, body: callMessage('"named_echo"'), headers: session });
        expect(message(called)).toHaveProperty('result');
        expect(named.last('tools/call').headers['host']).toBe('named.example.com');
        const refused = await ask(trial.url, { http, body: callMessage('"impostor_echo"'), headers: session });
        expect(refusal(refused)).toMatchObject({ reason: 'upstream_unreachable', server: 'impostor' });
        expect(impostor.arrivals).toEqual([]);
      },
    );
  });

  describe.each(['wasmplugin', 'envoyfilter'] as const)('%s: a catalog', (target) => {
    let catalogs: CatalogServer, shop: RestService;
    beforeAll(async () => {
      shop = await startRestService();
      catalogs = await startCatalogs('public');
      catalogs.write('servers.yaml', catalogOf('weather', 'notes'));
    });
    afterAll(() => Promise.all([catalogs.stop(), shop.stop()]));
    const trial = useTrial(servers, {
      resources: () => [
        ...renderedFor(target, {
          ...common,
          servers: [],
          catalog: {
            namespace: 'public',
            token: { env: 'TOKEN' },
            interval: '1s',
            clusters: ['outbound|*||*.tools.svc.cluster.local'],
          },
        }),
        serviceEntry(pluginServer, 8801, catalogs.url),
        serviceEntry('shop.tools.svc.cluster.local', 8080, shop.url),
      ],
      env: () => catalogs.asked.env,
    });

    test.each(bothProtocols)('an edit is served, and told at the next GET, over %s', async (http) => {
      catalogs.write('shop.yaml', {});
      await lists(trial, 'notes_echo', 'weather_echo');
      const session = await open(trial.url, http);
      const first = await get(trial, session);
      expect(first.headers['content-type']).toBe('text/event-stream');
      expect(parseEvents(first.text).methods).toEqual([]);
      catalogs.write('shop.yaml', {
        servers: [{ name: 'shop', url: 'http://shop.tools.svc.cluster.local:8080', rest }],
      });
      await lists(trial, 'notes_echo', 'shop_item', 'weather_echo');
      const then = await get(trial, session, parseEvents(first.text).id);
      expect(parseEvents(then.text).methods).toEqual(['notifications/tools/list_changed']);
      expect(
        (await ask(trial.url, { http, body: callMessage('"shop_item"', '{"id":"a"}'), headers: session })).text,
      ).toContain('"isError":false');
      expect(shop.last()).toMatchObject({ method: 'GET', path: '/items/a' });
      for (const name of ['notes', 'weather'] as const) {
        servers[name].forget();
        const body = callMessage(`"${name}_echo"`, `{"text":"${'y'.repeat(300_000)}"}`);
        const answer = await ask(trial.url, { http, body, headers: session });
        expect(message(answer)).toHaveProperty('result');
        const { body: arrived, headers } = servers[name].last('tools/call');
        expect(arrived.toString()).toBe(body.replace(`${name}_`, ''));
        expect(headers).not.toHaveProperty('x-mcp-cluster');
      }
    });

    test('stays where the plugin server is gone', async () => {
      await catalogs.close();
      await until('the failure is told', trial.mesh, () => trial.mesh.log().includes('; what is served stays'));
      await lists(trial, 'notes_echo', 'shop_item', 'weather_echo');
    });
  });
});

interface DestinationRuleSpec {
  readonly trafficPolicy: { readonly tls: object };
}

/** What a DestinationRule of such a server says beside what it is rendered with. @param authorities a file */
function trusting(authorities: string, { trafficPolicy }: DestinationRuleSpec): object {
  return { trafficPolicy: { ...trafficPolicy, tls: { ...trafficPolicy.tls, caCertificates: authorities } } };
}

/** A ServiceEntry's way to a server of this machine. */
function leadingTo(url: string): object {
  return {
    resolution: 'STATIC',
    endpoints: [{ address: '127.0.0.1', ports: { 'https-443': Number(new URL(url).port) } }],
  };
}

const rest = {
  tools: [
    {
      name: 'item',
      description: 'An item of the shop',
      args: [{ name: 'id', description: 'Its id', type: 'string', required: true, position: 'path' }],
      requestTemplate: { url: '/items/{id}', method: 'GET' },
    },
  ],
};

function catalogOf(...names: readonly string[]): object {
  return { servers: names.map((name) => ({ name, url: `http://${name}.tools.svc.cluster.local:8080/mcp` })) };
}

/** Until every worker has these tools. */
function lists(trial: Trial, ...tools: readonly string[]): Promise<void> {
  const one = async (): Promise<boolean> => {
    const { 'mcp-session-id': id } = await open(trial.url, 'HTTP/1.1');
    if (id === 'undefined') return false;
    const answer = await ask(trial.url, { body: listMessage(), headers: { 'mcp-session-id': id } });
    return toolNames(answer).sort().join() === tools.join();
  };
  return until(`all list ${tools.join()}`, trial.mesh, async () =>
    (await Promise.all(Array.from({ length: 12 }, one))).every((each) => each),
  );
}

function get(trial: Trial, session: { 'mcp-session-id': string }, lastEventId?: string): Promise<RawAnswer> {
  const headers = {
    host,
    accept: 'text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...session,
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  return send(trial.url, { method: 'GET', headers });
}
