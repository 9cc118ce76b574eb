// A session belongs to whoever opened it: by the claims of a token that Envoy's jwt_authn verified, or by a header that an
// earlier filter sets.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn } from './token-filter.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const reasonOf = ({ text }: RawAnswer): unknown =>
  (JSON.parse(text) as { error?: { data: { reason: string } } }).error?.data.reason;

describeGateway('identity', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(() => upstream.stop());

  /** Opens a session with these headers, and says what lists with others are answered. */
  async function outcomes(
    url: string,
    opener: Record<string, string>,
    others: Record<string, string>[],
  ): Promise<unknown[]> {
    const opened = await post(url, initializeMessage(), { headers: opener });
    const id = opened.headers['mcp-session-id'];
    if (typeof id !== 'string') throw new Error(opened.text);
    const found: unknown[] = [];
    for (const headers of [opener, ...others]) {
      const answer = await post(url, listMessage(), { headers: { ...headers, 'mcp-session-id': id } });
      found.push(reasonOf(answer) ?? answer.status);
    }
    return found;
  }

  describe('by a token', () => {
    const gateway = useGateway(() => ({
      servers: [{ name: 'one', url: upstream.url }],
      plugin: { identity: { jwt: 'verified' }, origins: ['https://inspector.example.com'] },
      adjust: (bootstrap) => {
        addFilterBefore(bootstrap, jwtAuthn());
      },
    }));
    const bearer = (claims: object): Record<string, string> => ({ authorization: `Bearer ${jwt(claims)}` });

    it('serves a session to its subject with any of their tokens, and to nobody else', async () => {
      const found = await outcomes(gateway.current.url, bearer({ iss: 'https://a.example', sub: 'alice' }), [
        bearer({ iss: 'https://a.example', sub: 'alice', exp: 4_100_000_000, scope: 'more' }),
        bearer({ iss: 'https://a.example', sub: 'bob' }),
        bearer({ iss: 'https://b.example', sub: 'alice' }),
        // Neither moves a letter from one claim to the other.
        bearer({ iss: 'https://a.examplea', sub: 'lice' }),
        bearer({ iss: 'https://a.example', sub: 'Alice' }),
        {},
      ]);
      const unknown = 'session_unknown';
      expect(found).toEqual([200, 200, unknown, unknown, unknown, unknown, 'unauthenticated']);
    });

    it('refuses to serve who does not say who they are', async () => {
      for (const headers of [
        {},
        bearer({ sub: 'alice' }),
        bearer({ iss: 'https://a.example' }),
        bearer({ iss: 'i', sub: '' }),
      ]) {
        const answer = await post(gateway.current.url, initializeMessage(), { headers });
        expect(answer.status).toBe(401);
        const hasToken = 'authorization' in headers;
        expect(answer.headers['www-authenticate']).toBe(hasToken ? 'Bearer error="invalid_token"' : 'Bearer');
        expect(JSON.parse(answer.text)).toMatchObject({ error: { code: -31001, data: { reason: 'unauthenticated' } } });
      }
    });

    it('leaves the refusals of jwt_authn as they are', async () => {
      const headers = { authorization: `Bearer ${jwt({ iss: 'i', sub: 's' }).slice(0, -8)}AAAAAAAA` };
      const answer = await post(gateway.current.url, initializeMessage(), { headers });
      expect([answer.status, answer.text]).toEqual([401, 'Jwt verification fails']);
      expect(answer.headers['x-mcp-gateway']).toBeUndefined();
    });

    it('answers a preflight, which can have no token', async () => {
      const headers = { origin: 'https://inspector.example.com', 'access-control-request-method': 'POST' };
      expect((await send(gateway.current.url, { method: 'OPTIONS', headers })).status).toBe(204);
    });

    it('ends a session for its subject only', async () => {
      const alice = bearer({ iss: 'i', sub: 'alice' });
      const opened = await post(gateway.current.url, initializeMessage(), { headers: alice });
      const id = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      const end = (who: Record<string, string>): Promise<RawAnswer> =>
        send(gateway.current.url, { method: 'DELETE', headers: { ...who, ...id } });
      expect((await end(bearer({ iss: 'i', sub: 'mallory' }))).status).toBe(404);
      expect((await post(gateway.current.url, listMessage(), { headers: { ...alice, ...id } })).status).toBe(200);
      expect((await end(alice)).status).toBe(200);
      expect((await post(gateway.current.url, listMessage(), { headers: { ...alice, ...id } })).status).toBe(404);
    });
  });

  describe('by another claim', () => {
    const gateway = useGateway(() => ({
      servers: [{ name: 'one', url: upstream.url }],
      plugin: { identity: { jwt: 'verified', subject: 'https://example.com/id' } },
      adjust: (bootstrap) => {
        addFilterBefore(bootstrap, jwtAuthn());
      },
    }));
    const initialize = (id: unknown): Promise<RawAnswer> => {
      const authorization = `Bearer ${jwt({ iss: 'i', sub: 's', 'https://example.com/id': id })}`;
      return post(gateway.current.url, initializeMessage(), { headers: { authorization } });
    };

    it('takes a string and nothing that only looks like one in the bytes of the host', async () => {
      expect((await initialize('user-1')).status).toBe(200);
      expect((await initialize('Zoë Müller')).status).toBe(200);
      // In the host's bytes a number and a text of eight letters are the same.
      for (const name of ['AAAAAAAA', 'user-007', 'Zoë Ång']) {
        expect((await initialize(name)).status, name).toBe(200);
      }
      for (const id of [
        Buffer.from('AAAAAAAA').readDoubleLE(),
        42,
        1.5,
        2 ** 53,
        1e308,
        true,
        ['user-1'],
        [],
        { id: 'user-1' },
        null,
        '',
        'a\nb',
      ]) {
        expect((await initialize(id)).status, JSON.stringify(id)).toBe(401);
      }
    });
  });

  describe('by a trusted header', () => {
    const gateway = useGateway(() => ({
      servers: [
        { name: 'one', url: upstream.url },
        { name: 'two', url: upstream.url, credentials: { type: 'passthrough', headers: ['x-user'] } },
      ],
      plugin: { identity: { trustedHeader: 'x-user' } },
    }));

    it('serves a session to its subject and to nobody else', async () => {
      const found = await outcomes(gateway.current.url, { 'x-user': 'alice' }, [
        { 'x-user': 'bob' },
        { 'x-user': '' },
        {},
      ]);
      expect(found).toEqual([200, 'session_unknown', 'unauthenticated', 'unauthenticated']);
    });

    it('is refused where there are two values', async () => {
      const headers = { 'x-user': ['alice', 'alice'] };
      const answer = await send(gateway.current.url, { headers, body: initializeMessage() });
      expect(answer.status).toBe(401);
    });

    it('reaches only servers that it is passed on to', async () => {
      const headers = { 'x-user': 'alice' };
      const opened = await post(gateway.current.url, initializeMessage(), { headers });
      const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      await post(gateway.current.url, callMessage('"one_t"'), { headers: session });
      expect(upstream.last('tools/call').headers['x-user']).toBeUndefined();
      await post(gateway.current.url, callMessage('"two_t"'), { headers: session });
      expect(upstream.last('tools/call').headers['x-user']).toBe('alice');
    });
  });
});
