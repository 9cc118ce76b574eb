// What a caller may use by the header x-mcp-authorized, which a second provider of Envoy's jwt_authn verifies; and that
// nobody can forge it.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { capabilityIssuer, capabilityKeys, issuer } from './capability-keys.ts';
import { type RawAnswer, send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { addFilterBefore, jwks, jwt, jwtAuthn, signed } from './token-filter.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const forger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const names = ['one_get', 'one_drop', 'two_get', 'two_drop'];

type Headers = Record<string, string | string[]>;

interface TokenFilter {
  typed_config: { providers: { capabilities: { local_jwks: object; audiences: string[] } } };
}

/** The filter that docs/authorization.md shows, with other keys and another audience. */
function documentedFilter(keys: string): TokenFilter {
  const page = readFileSync(new URL('../../docs/authorization.md', import.meta.url), 'utf8');
  const shown = page.slice(page.indexOf('### The second provider'));
  const [, text = ''] = /^```yaml\n(name: envoy\.filters\.http\.jwt_authn\n.*?)^```/ms.exec(shown) ?? [];
  const filter = parse(text) as TokenFilter;
  Object.assign(filter.typed_config.providers.capabilities, {
    audiences: ['sluice'],
    local_jwks: { inline_string: keys },
  });
  return filter;
}

describeGateway('x-mcp-authorized', () => {
  const { callers, capabilities, signer, remove } = capabilityKeys();
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['get', 'drop'] });
    two = await startScripted({ tools: ['get', 'drop'] });
  });
  afterAll(async () => {
    await Promise.all([one.stop(), two.stop()]);
    remove();
  });
  const servers = (): { name: string; url: string }[] => [
    { name: 'one', url: one.url },
    { name: 'two', url: two.url },
  ];
  const issuers = [{ issuer: capabilityIssuer, audiences: ['sluice'], jwks: { file: capabilities } }];
  const allowedCapabilities = { servers: { two: 'ns/two' }, issuers };
  const gateway = useGateway(() => ({
    servers: servers(),
    plugin: { auth: { issuers: [{ issuer, jwks: { file: callers } }] }, allowedCapabilities },
  }));
  /** Without it, everything may be used. */
  const lenient = useGateway(() => ({
    servers: servers(),
    plugin: { allowedCapabilities: { ...allowedCapabilities, absent: 'allow' } },
  }));
  /** Each list is for the subject that it names. */
  const bound = useGateway(() => ({
    servers: servers(),
    plugin: {
      auth: { issuers: [{ issuer, jwks: { file: callers } }] },
      allowedCapabilities: { ...allowedCapabilities, subject: 'user' },
    },
  }));
  /** The two tokens are verified by a filter each, as on Istio; the second by that of docs/authorization.md. */
  const apart = useGateway(() => ({
    servers: servers(),
    plugin: { identity: { jwt: 'verified' }, allowedCapabilities: { servers: { two: 'ns/two' } } },
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
      addFilterBefore(bootstrap, documentedFilter(jwks(signer.publicKey)));
    },
  }));

  const ada = { authorization: `Bearer ${jwt({ iss: issuer, sub: 'ada' })}` };
  const claims = (tools: object): object => ({
    iss: capabilityIssuer,
    aud: 'sluice',
    'allowed-capabilities': JSON.stringify({ tools }),
  });
  const token = (tools: object, more: object = {}, key = signer.privateKey): string =>
    signed({ ...claims(tools), ...more }, key);
  const everything = { one: ['get', 'drop'], 'ns/two': ['get', 'drop'] };
  const some = { one: ['get'], 'ns/two': ['drop'] };

  async function open(url: string, headers: Headers): Promise<Headers> {
    const opened = await post(url, initializeMessage(), { headers });
    expect(opened.status).toBe(200);
    return { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  }
  const outcomeOf = ({ text }: RawAnswer): string => {
    const { error } = JSON.parse(text) as { error?: { data: { reason: string } } };
    return error?.data.reason ?? 'ok';
  };
  /** What is listed; exactly that can be called. */
  async function seen(url: string, headers: Headers): Promise<string[]> {
    const list = await post(url, listMessage(), { headers });
    const { result } = JSON.parse(list.text) as { result: { tools: { name: string }[] } };
    const listed = result.tools.map(({ name }) => name);
    for (const name of names) {
      const outcome = outcomeOf(await post(url, callMessage(JSON.stringify(name)), { headers }));
      expect([name, outcome]).toEqual([name, listed.includes(name) ? 'ok' : 'unknown_tool']);
    }
    return listed;
  }
  const seenWith = async (url: string, headers: Headers): Promise<string[]> => seen(url, await open(url, headers));

  it('shows and lets call what it lists, and reaches no server', async () => {
    one.forget();
    two.forget();
    expect(await seenWith(gateway.current.url, { ...ada, 'x-mcp-authorized': token(some) })).toEqual([
      'one_get',
      'two_drop',
    ]);
    const received = [...one.requests, ...two.requests];
    expect(received.length).toBeGreaterThan(0);
    expect(received.filter(({ headers }) => 'x-mcp-authorized' in headers)).toEqual([]);
  });

  it('goes by the header of each request, and not by the one that opened the session', async () => {
    const headers = await open(gateway.current.url, { ...ada, 'x-mcp-authorized': token(everything) });
    expect(await seen(gateway.current.url, { ...headers, 'x-mcp-authorized': token(some) })).toEqual([
      'one_get',
      'two_drop',
    ]);
    const without = { ...ada, 'mcp-session-id': headers['mcp-session-id'] ?? '' };
    expect(await seen(gateway.current.url, without)).toEqual([]);
  });

  it('hides everything without it, or leaves it to the rules where the configuration says so', async () => {
    expect(await seenWith(gateway.current.url, ada)).toEqual([]);
    expect(await seenWith(lenient.current.url, {})).toEqual(names);
  });

  it('is no identity', async () => {
    const answer = await post(gateway.current.url, initializeMessage(), {
      headers: { 'x-mcp-authorized': token(everything, { sub: 'ada' }) },
    });
    expect(answer.status).toBe(401);
    const asBearer = { authorization: `Bearer ${token(everything, { sub: 'ada' })}` };
    expect((await post(gateway.current.url, initializeMessage(), { headers: asBearer })).status).toBe(401);
  });

  it('is refused where it was made for another user than that of the token', async () => {
    const { url } = bound.current;
    const own = { ...ada, 'x-mcp-authorized': token(some, { user: 'ada' }) };
    const session = (await open(url, own))['mcp-session-id'] ?? '';
    expect(await seen(url, { ...own, 'mcp-session-id': session })).toEqual(['one_get', 'two_drop']);
    const others: [string, object][] = [
      ['another user', { user: 'eve' }],
      ['the user in other letters', { user: 'Ada' }],
      ['a user whose name begins so', { user: 'ada2' }],
      ['no user', {}],
      ['the subject in another claim', { sub: 'ada' }],
      ['a list of users', { user: ['ada'] }],
      ['an empty name', { user: '' }],
    ];
    one.forget();
    two.forget();
    for (const [what, more] of others) {
      const foreign = { ...ada, 'x-mcp-authorized': token(everything, more) };
      for (const [message, headers] of [
        [initializeMessage(), foreign],
        [listMessage(), { ...foreign, 'mcp-session-id': session }],
        [callMessage('"one_drop"'), { ...foreign, 'mcp-session-id': session }],
      ] as const) {
        const answer = await post(url, message, { headers });
        expect([what, answer.status, outcomeOf(answer)]).toEqual([what, 403, 'other_subject']);
      }
    }
    expect([...one.requests, ...two.requests]).toEqual([]);
    // Without the header, and with one that nobody has verified, everything is hidden as ever.
    expect(await seen(url, { ...ada, 'mcp-session-id': session })).toEqual([]);
    const forged = token(everything, { user: 'ada' }, forger.privateKey);
    expect(await seen(url, { ...ada, 'mcp-session-id': session, 'x-mcp-authorized': forged })).toEqual([]);
  });

  it('is verified as well by a filter of its own', async () => {
    expect(await seenWith(apart.current.url, { ...ada, 'x-mcp-authorized': token(some) })).toEqual([
      'one_get',
      'two_drop',
    ]);
    expect(await seenWith(apart.current.url, ada)).toEqual([]);
  });

  const unsigned = (tools: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part(claims(tools))}.`;
  };
  it.each<[string, string | string[]]>([
    ['signed by somebody else', token(everything, {}, forger.privateKey)],
    ['not signed', unsigned(everything)],
    ['of another issuer', token(everything, { iss: issuer })],
    ['for another audience', token(everything, { aud: 'other' })],
    ['that expired', token(everything, { exp: 1_000_000_000 })],
    [
      'with a list put in after it was signed',
      token(some).replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify(claims(everything))).toString('base64url')}.`),
    ],
    ['that is the plain list', JSON.stringify({ tools: everything })],
    ['that is empty', ''],
    [
      'that is the token of a caller',
      jwt({ iss: issuer, sub: 'ada', 'allowed-capabilities': JSON.stringify({ tools: everything }) }),
    ],
    ['that comes twice, the forged one last', [token(some), token(everything, {}, forger.privateKey)]],
    ['that comes twice, the forged one first', [token(everything, {}, forger.privateKey), token(some)]],
    ['that comes twice, each of them good', [token(everything), token(some)]],
    ['with words before it', `Bearer ${token(everything)}`],
  ])('hides everything where it is one %s', async (_, value) => {
    for (const url of [gateway.current.url, lenient.current.url]) {
      expect(await seenWith(url, { ...ada, 'x-mcp-authorized': value })).toEqual([]);
    }
  });

  it('is looked for in no other place', async () => {
    const query = `?access_token=${token(everything)}&x-mcp-authorized=${token(everything)}`;
    expect(await seenWith(`${gateway.current.url}${query}`, ada)).toEqual([]);
    expect(await seenWith(gateway.current.url, { ...ada, cookie: `x-mcp-authorized=${token(everything)}` })).toEqual(
      [],
    );
    expect(await seenWith(gateway.current.url, { ...ada, 'x-authorized-tools': token(everything) })).toEqual([]);
  });

  it('lets a preflight pass, which has no token', async () => {
    const answer = await send(gateway.current.url, {
      method: 'OPTIONS',
      headers: { origin: new URL(gateway.current.url).origin, 'access-control-request-method': 'POST' },
    });
    expect(answer.status).toBe(204);
  });
});
