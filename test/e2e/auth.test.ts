// What OAuth's clients need to find their way to a token: the metadata of the resource (RFC 9728), and a challenge with
// every refusal; tokens are verified by the filter that `auth.issuers` makes.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from './clients/raw.ts';
import { initializeMessage, listMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { jwt, publicKeys } from './token-filter.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const issuer = 'https://id.example.com';
const wellKnown = '/.well-known/oauth-protected-resource';
const virtualServers = [{ name: 'team-a/all', tools: ['*'] }];

describeGateway('auth', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-auth-'));
  const file = join(folder, 'jwks.json');
  writeFileSync(file, publicKeys());
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(async () => {
    await upstream.stop();
    rmSync(folder, { recursive: true });
  });
  const issuers = [
    { issuer: 'https://other.example.com', jwks: { file } },
    { issuer, audiences: ['sluice'], jwks: { file } },
  ];
  const scopes = ['tools:call', 'read'];
  const auth = { authorizationServers: [issuer], scopes, issuers };
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: upstream.url }],
    plugin: { auth, virtualServers, publicUrl: 'https://mcp.example.com' },
  }));
  const nameless = useGateway(() => ({
    servers: [{ name: 'one', url: upstream.url }],
    plugin: { auth: { ...auth, scopes: [] }, hosts: ['localhost', '127.0.0.1'] },
  }));
  const originOf = (url: string): string => new URL(url).origin;
  const good = { iss: issuer, sub: 'ada', aud: 'sluice' };
  const bearer = (claims: object): Record<string, string> => ({ authorization: `Bearer ${jwt(claims)}` });

  describe('the metadata', () => {
    const document = (resource: string): object => ({
      resource,
      authorization_servers: [issuer],
      scopes_supported: scopes,
      bearer_methods_supported: ['header'],
    });

    it.each([
      ['', 'https://mcp.example.com/mcp'],
      ['?x=1', 'https://mcp.example.com/mcp'],
      ['/mcp', 'https://mcp.example.com/mcp'],
      ['/mcp/team-a/all', 'https://mcp.example.com/mcp/team-a/all'],
    ])('at the well-known path%s names the resource %s', async (path, resource) => {
      const answer = await send(`${originOf(gateway.current.url)}${wellKnown}${path}`, { method: 'GET' });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(JSON.parse(answer.text)).toEqual(document(resource));
    });

    it('names the host of the request where none is configured', async () => {
      const origin = originOf(nameless.current.url);
      const answer = await send(`${origin}${wellKnown}/mcp`, { method: 'GET' });
      expect(JSON.parse(answer.text)).toMatchObject({ resource: `${origin}/mcp` });
      const forged = await send(`${origin}${wellKnown}`, { method: 'GET', headers: { host: 'evil.example.com' } });
      expect([forged.status, forged.text]).toEqual([403, expect.stringContaining('host_forbidden')]);
    });

    it('is there for web pages, whatever their origin', async () => {
      const answer = await send(`${originOf(gateway.current.url)}${wellKnown}/mcp`, {
        method: 'OPTIONS',
        headers: { origin: 'https://page.example.com', 'access-control-request-method': 'GET' },
      });
      expect([answer.status, answer.headers['access-control-allow-headers']]).toEqual([204, 'mcp-protocol-version']);
    });

    it.each([
      ['POST', '/mcp', 405],
      ['GET', '/mcp/team-a/none', 404],
      ['GET', '/other', 404],
      ['GET', 'x', 404],
    ])('%s of %s is none', async (method, path, status) => {
      expect((await send(`${originOf(gateway.current.url)}${wellKnown}${path}`, { method })).status).toBe(status);
    });
  });

  describe('a challenge', () => {
    const metadata = (path = ''): string => `resource_metadata="https://mcp.example.com${wellKnown}/mcp${path}"`;
    const scoped = 'scope="tools:call read"';

    it('goes with a request without a token', async () => {
      const answer = await post(gateway.current.url, initializeMessage());
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, `Bearer ${scoped}, ${metadata()}`]);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { reason: 'unauthenticated' } } });
      const below = await post(`${gateway.current.url}/team-a/all`, initializeMessage());
      expect(below.headers['www-authenticate']).toBe(`Bearer ${scoped}, ${metadata('/team-a/all')}`);
    });

    const { privateKey: foreign } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const expired = { ...good, exp: 1_000_000_000 };
    it.each([
      ['of another audience', jwt({ ...good, aud: 'other' }), 'it is for another audience'],
      ['of another issuer', jwt({ ...good, iss: 'https://evil.example.com' }), 'its issuer is not one of this gateway'],
      ['without an issuer', jwt({ sub: 'ada', aud: 'sluice' }), 'its issuer is not one of this gateway'],
      ['that expired', jwt(expired), 'it has expired'],
      ['that expired, of the first issuer', jwt({ ...expired, iss: issuers[0]?.issuer }), 'it has expired'],
      ['that is not valid yet', jwt({ ...good, nbf: 3_900_000_000 }), 'it is not valid yet'],
      ['without a subject', jwt({ iss: issuer, aud: 'sluice' }), 'it has no subject or no issuer'],
      ['of a key that is not known', jwt(good, foreign, 'none'), 'it was signed with a key that is not known here'],
      ['of another key', jwt(good, foreign), 'its signature is not good'],
      ['that is none', 'x', 'it is not a JWT that can be read, or of an algorithm that is not supported'],
      ['of the scheme in small letters', jwt(good), 'its scheme has to be written Bearer', 'bearer'],
      ['of the scheme in capitals', jwt(good), 'its scheme has to be written Bearer', 'BEARER'],
    ])('says what is wrong with a token %s', async (_, token, fault, scheme = 'Bearer') => {
      const headers = { authorization: `${scheme} ${token}` };
      const answer = await post(gateway.current.url, initializeMessage(), { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([
        401,
        `Bearer error="invalid_token", error_description="${fault}", ${scoped}, ${metadata()}`,
      ]);
      const { error } = JSON.parse(answer.text) as { error: { message: string; data: object } };
      expect(error.data).toEqual({ reason: 'unauthenticated' });
      expect(error.message).toContain(`the token of this request is not good: ${fault}.`);
    });

    it('names the host of the request where none is configured', async () => {
      const answer = await post(nameless.current.url, initializeMessage());
      const url = `${originOf(nameless.current.url)}${wellKnown}/mcp`;
      expect(answer.headers['www-authenticate']).toBe(`Bearer resource_metadata="${url}"`);
    });
  });

  it('serves who has a good token of any issuer, and sends none of it to a server', async () => {
    for (const claims of [good, { iss: 'https://other.example.com', sub: 'eve' }]) {
      const headers = bearer(claims);
      const opened = await post(gateway.current.url, initializeMessage(), { headers });
      expect(opened.status).toBe(200);
      const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      expect((await post(gateway.current.url, listMessage(), { headers: session })).status).toBe(200);
    }
    expect(upstream.requests.filter(({ headers }) => 'authorization' in headers)).toEqual([]);
  });
});
