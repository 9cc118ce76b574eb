// Who may see and call what, by the claims of a token that Envoy's jwt_authn verified.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RawAnswer } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn } from './token-filter.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const authorization = {
  default: 'deny',
  rules: [
    { name: 'readers', claims: [{ path: 'realm.roles', contains: 'reader' }], tools: ['*_get'] },
    { name: 'admins', claims: [{ path: 'admin', equals: true }] },
    {
      name: 'drops',
      effect: 'stepUp',
      tools: ['two_drop'],
      claims: [{ path: 'admin', equals: true }],
      scopes: ['drop'],
    },
    { name: 'not-guests', effect: 'deny', claims: [{ path: 'guest', equals: true }], servers: ['two'] },
  ],
};
const names = ['one_get', 'one_drop', 'two_get', 'two_drop'];

describeGateway('authorization', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['get', 'drop'] });
    two = await startScripted({ tools: ['get', 'drop'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: { identity: { jwt: 'verified' }, authorization },
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
    },
  }));

  const bearer = (claims: object): Record<string, string> => ({
    authorization: `Bearer ${jwt({ iss: 'https://id.example.com', sub: 'ada', ...claims })}`,
  });
  async function open(claims: object): Promise<Record<string, string>> {
    const opened = await post(gateway.current.url, initializeMessage(), { headers: bearer(claims) });
    return { ...bearer(claims), 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  }
  const outcomeOf = ({ text }: RawAnswer): string => {
    const { error } = JSON.parse(text) as { error?: { data: { reason: string } } };
    return error?.data.reason ?? 'ok';
  };
  /** What is listed, and what a call of each tool comes to. */
  async function rights(headers: Record<string, string>): Promise<{ listed: string[]; calls: string[] }> {
    const list = await post(gateway.current.url, listMessage(), { headers });
    const { result } = JSON.parse(list.text) as { result: { tools: { name: string }[] } };
    const calls: string[] = [];
    for (const name of names)
      calls.push(outcomeOf(await post(gateway.current.url, callMessage(JSON.stringify(name)), { headers })));
    return { listed: result.tools.map(({ name }) => name), calls };
  }

  const unknown = 'unknown_tool';
  it.each([
    ['a reader', { realm: { roles: ['user', 'reader'] } }, ['one_get', 'two_get'], ['ok', unknown, 'ok', unknown]],
    ['an admin', { admin: true }, names, ['ok', 'ok', 'ok', 'forbidden']],
    ['an admin with the scope', { admin: true, scope: 'read drop' }, names, ['ok', 'ok', 'ok', 'ok']],
    ['a guest admin', { admin: true, guest: true }, ['one_get', 'one_drop'], ['ok', 'ok', unknown, unknown]],
    ['anybody else', { admin: 'true', realm: { roles: ['READER'] } }, [], [unknown, unknown, unknown, unknown]],
  ])('%s sees and calls what the rules say', async (_, claims, listed, calls) => {
    expect(await rights(await open(claims))).toEqual({ listed, calls });
  });

  it('goes by the token of each request, and not by the one that opened the session', async () => {
    const headers = await open({ admin: true });
    expect(await rights({ ...headers, ...bearer({ admin: false }) })).toEqual({
      listed: [],
      calls: [unknown, unknown, unknown, unknown],
    });
    expect((await rights({ ...headers, ...bearer({ admin: true, scope: 'drop' }) })).calls).toEqual(
      names.map(() => 'ok'),
    );
  });

  it('says which scopes a call needs, where clients look for it (RFC 6750)', async () => {
    const headers = await open({ admin: true });
    const before = two.requests.length;
    const answer = await post(gateway.current.url, callMessage(JSON.stringify('two_drop')), { headers });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="drop"',
    ]);
    expect(JSON.parse(answer.text)).toMatchObject({ id: 1, error: { code: -31005, data: { reason: 'forbidden' } } });
    expect(two.requests.length).toBe(before);
  });

  it('opens no session with a server whose tools are all hidden', async () => {
    one.forget();
    two.forget();
    await open({ admin: true, guest: true });
    expect(one.requests.length).toBeGreaterThan(0);
    expect(two.requests).toEqual([]);
  });
});
