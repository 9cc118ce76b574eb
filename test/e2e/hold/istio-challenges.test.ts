// A jwt_authn that refuses bad tokens by itself, as Istio's does, and the challenges that `sluice render` gives to its answers.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { challengeReplies } from '../../../envoy/render/istio/challenges.ts';
import { connectionManager } from '../adjust.ts';
import { send } from '../clients/raw.ts';
import { initializeMessage, post } from '../clients/session.ts';
import { engine } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { addFilterBefore, jwt, publicKeys } from '../token-filter.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';

const issuer = 'https://id.example.com';
const auth = { authorizationServers: [issuer], scopes: ['tools:call', 'read'] };
const virtualServers = [{ name: 'team-a/all', tools: ['*'] }];

/** As istiod makes it of a RequestAuthentication. */
const requestAuthentication = {
  name: 'envoy.filters.http.jwt_authn',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
    providers: {
      'origins-0': {
        issuer,
        audiences: ['sluice'],
        local_jwks: { inline_string: publicKeys() },
        payload_in_metadata: 'payload',
        forward: true,
      },
    },
    rules: [
      {
        match: { prefix: '/' },
        requires: { requires_any: { requirements: [{ provider_name: 'origins-0' }, { allow_missing: {} }] } },
      },
    ],
    bypass_cors_preflight: true,
  },
};

/** The embedded engine has no local replies to be changed. */
describe.skipIf(engine?.name !== 'envoy')('refusals of a jwt_authn like that of Istio', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(() => upstream.stop());
  const gatewayWith = (more: object) =>
    useGateway(() => {
      const plugin = { auth, virtualServers, identity: { jwt: 'payload' }, ...more };
      return {
        servers: [{ name: 'one', url: upstream.url }],
        plugin,
        adjust: (bootstrap) => {
          addFilterBefore(bootstrap, requestAuthentication);
          Object.assign(connectionManager(bootstrap), { local_reply_config: challengeReplies(plugin) });
        },
      };
    });
  const named = gatewayWith({ publicUrl: 'https://mcp.example.com' });
  const nameless = gatewayWith({ auth: { authorizationServers: [issuer] } });

  const good = { iss: issuer, sub: 'ada', aud: 'sluice' };
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const metadata = (path = ''): string =>
    `resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp${path}"`;
  const told = (cause: string): string =>
    `Bearer error="invalid_token", error_description="jwt_authn_access_denied{${cause.replaceAll(' ', '_')}}"`;
  const noJwt = 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections';
  const challenge = (path = '', cause = noJwt): string => `${told(cause)}, scope="tools:call read", ${metadata(path)}`;

  it.each([
    ['that expired', jwt({ ...good, exp: 1_000_000_000 }), 'Jwt is expired'],
    ['of another audience', jwt({ ...good, aud: 'other' }), 'Audiences in Jwt are not allowed'],
    ['of another issuer', jwt({ ...good, iss: 'https://evil.example.com' }), 'Jwt issuer is not configured'],
    ['that is none', 'x', noJwt],
  ])('have a whole challenge for a token %s, and tell the cause', async (_, token, cause) => {
    for (const [path, expected] of [
      ['', challenge('', cause)],
      ['?x=1', challenge('', cause)],
      ['/team-a/all', challenge('/team-a/all', cause)],
      ['/team-a/none', challenge('', cause)],
    ]) {
      const answer = await post(`${named.current.url}${path}`, initializeMessage(), { headers: bearer(token) });
      expect([answer.status, answer.headers['www-authenticate'], answer.text]).toEqual([401, expected, cause]);
    }
    expect(upstream.requests).toEqual([]);
  });

  it('name the host of the request where none is configured', async () => {
    const { url, origin } = nameless.current;
    const answer = await post(url, initializeMessage(), { headers: bearer('x') });
    const document = `${origin}/.well-known/oauth-protected-resource/mcp`;
    expect(answer.headers['www-authenticate']).toBe(`${told(noJwt)}, resource_metadata="${document}"`);
  });

  describe('for web pages', () => {
    const page = 'https://inspector.example.com';
    const paged = gatewayWith({ publicUrl: 'https://mcp.example.com', origins: ['http://localhost:5173', page] });

    it.each(['', '/team-a/all'])('can be read at the path%s by those of allowed origins', async (path) => {
      const headers = { ...bearer('x'), origin: page };
      const answer = await post(`${paged.current.url}${path}`, initializeMessage(), { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challenge(path)]);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': page,
        'access-control-expose-headers': 'www-authenticate',
        vary: 'origin',
      });
    });

    it.each([
      ['another one', 'https://evil.example.com'],
      ['one that begins like it', `${page}.evil.example.com`],
      ['one that ends like it', `https://evil.example.com/${page}`],
      ['one with another character for a dot', page.replace('.', 'x')],
      ['null', 'null'],
      ['several', [page, 'https://evil.example.com']],
      ['none', undefined],
    ])('can not be read by %s', async (_, origin) => {
      const headers = { ...bearer('x'), ...(origin !== undefined && { origin }) };
      const answer = await post(paged.current.url, initializeMessage(), { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, challenge()]);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    });

    it('are no matter of other applications of the listener', async () => {
      const headers = { ...bearer('x'), origin: page };
      const answer = await send(`${paged.current.origin}/other`, { method: 'GET', headers });
      expect(answer.status).toBe(401);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    });
  });

  it("leave the module's own challenge as it is, and other applications of the listener", async () => {
    const without = await post(named.current.url, initializeMessage());
    expect([without.status, without.headers['www-authenticate']]).toEqual([
      401,
      `Bearer scope="tools:call read", ${metadata()}`,
    ]);
    for (const path of ['/other', '/mcpx']) {
      const other = await send(`${named.current.origin}${path}`, { method: 'GET', headers: bearer('x') });
      expect(other.status).toBe(401);
      expect(other.headers['www-authenticate']).not.toContain('resource_metadata');
    }
  });

  it('are none for a good token', async () => {
    expect((await post(named.current.url, initializeMessage(), { headers: bearer(jwt(good)) })).status).toBe(200);
  });
});
