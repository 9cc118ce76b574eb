import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Access, type Headers } from './access.ts';

const access = new Access();
const servers = [{ name: 'a', cluster: 'a' }];

const loopback = '127.0.0.1:10000';
const network = '192.0.2.7:10000';

describe('the host of a request', () => {
  it.each<[hosts: string[], authority: string, address: string, allowed: boolean]>([
    // A laptop: no hosts configured, the listener on loopback. DNS rebinding brings any other name.
    [[], 'localhost:10000', loopback, true],
    [[], 'LocalHost', loopback, true],
    [[], '127.0.0.1:10000', loopback, true],
    [[], '127.0.0.2:10000', '127.0.0.2:10000', true],
    [[], '[::1]:10000', '[::1]:10000', true],
    [[], '127.0.0.1:10000', '[::ffff:127.0.0.1]:10000', true],
    [[], 'app.localhost:10000', loopback, true],
    [[], 'evil.example:10000', loopback, false],
    [[], 'evil.example', '[::1]:10000', false],
    [[], 'evil.example', '[::ffff:127.0.0.1]:10000', false],
    [[], '127.evil.example:10000', loopback, false],
    [[], '127.0.0.1.evil.example', loopback, false],
    [[], '127.0.0.', loopback, false],
    [[], '127.0.0', loopback, false],
    [[], '127.0.0.0.1', loopback, false],
    [[], 'localhost.evil.example', loopback, false],
    [[], 'evillocalhost', loopback, false],
    [[], '.localhost', loopback, false],
    [[], 'evil.example:1@x.localhost', loopback, false],
    [[], 'localhost:10000@evil.example', loopback, false],
    [[], 'localhost:', loopback, false],
    [[], 'localhost:80:90', loopback, false],
    [[], '[::1', loopback, false],
    [[], '[::1]evil.example', loopback, false],
    [[], '0.0.0.0:10000', loopback, false],
    [[], '192.0.2.7:10000', loopback, false],
    [[], '', loopback, false],
    // What the host does not say is taken for loopback, the strictest.
    [[], 'evil.example', '', false],
    [[], 'localhost', '', true],
    // A server without hosts: any name, but none that means this machine.
    [[], 'mcp.example.com', network, true],
    [[], '192.0.2.7:10000', network, true],
    [[], 'mcp.example.com', '[2001:db8::1]:443', true],
    [[], 'localhost:10000', network, false],
    [[], 'x.localhost', network, false],
    [[], '[::1]:10000', '[2001:db8::1]:443', false],
    // Not over IP: no browser gets there.
    [[], 'localhost', '/run/envoy.sock', true],
    [[], 'anything', '/run/envoy.sock', true],
    [[], 'anything', 'envoy://inner/1', true],
    // Named hosts, and loopback beside them.
    [['mcp.example.com'], 'mcp.example.com', network, true],
    [['mcp.example.com'], 'MCP.example.COM:8443', network, true],
    [['mcp.example.com'], 'mcp.example.com', loopback, true],
    [['mcp.example.com'], 'localhost:10000', loopback, true],
    [['mcp.example.com'], 'localhost:10000', network, false],
    [['mcp.example.com'], 'evil.example', network, false],
    [['mcp.example.com'], 'evil.example', loopback, false],
    [['mcp.example.com'], 'xmcp.example.com', network, false],
    [['mcp.example.com'], 'mcp.example.com.evil.example', network, false],
    [['mcp.example.com:8443'], 'mcp.example.com:8443', network, true],
    [['mcp.example.com:8443'], 'mcp.example.com', network, false],
    [['mcp.example.com:8443'], 'mcp.example.com:443', network, false],
    // Somebody said so: behind a published port of a container, say.
    [['localhost'], 'localhost:10000', network, true],
    [['[2001:db8::1]'], '[2001:db8::1]:443', network, true],
    [['a.example', 'b.example'], 'b.example', network, true],
  ])('with hosts %j, "%s" on a connection to %s: %s', (hosts, authority, address, allowed) => {
    expect(access.hostAllowed(hosts, authority, address)).toBe(allowed);
  });
});

describe('the origin of a page', () => {
  const listed = 'https://inspector.example.com';
  it.each<[origins: string[], origin: string, authority: string, allowed: boolean]>([
    [[], 'http://localhost:10000', 'localhost:10000', true],
    [[], 'https://localhost:10000', 'localhost:10000', true],
    [[], 'http://127.0.0.1:10000', '127.0.0.1:10000', true],
    [[], 'http://[::1]:10000', '[::1]:10000', true],
    [[], 'http://localhost', 'localhost', true],
    [[], 'http://localhost:6274', 'localhost:10000', false],
    [[], 'http://127.0.0.1:10000', 'localhost:10000', false],
    [[], 'http://evil.example:10000', 'localhost:10000', false],
    [[], 'http://localhost:10000.evil.example', 'localhost:10000', false],
    // Same origin means nothing where DNS decides who that is.
    [[], 'http://evil.example', 'evil.example', false],
    [[], 'http://192.0.2.7:10000', '192.0.2.7:10000', false],
    [[], 'null', 'localhost:10000', false],
    [[], '', 'localhost:10000', false],
    [[], 'http://', '', false],
    [[], 'ftp://localhost:10000', 'localhost:10000', false],
    [[], 'localhost:10000', 'localhost:10000', false],
    [[listed], listed, 'mcp.example.com', true],
    [[listed], listed, 'localhost:10000', true],
    [[listed], `${listed}:443`, 'mcp.example.com', false],
    [[listed], `${listed}.evil.example`, 'mcp.example.com', false],
    [[listed], 'http://inspector.example.com', 'mcp.example.com', false],
    [[listed], 'https://example.com', 'mcp.example.com', false],
    [[listed, 'http://localhost:6274'], 'http://localhost:6274', 'localhost:10000', true],
    [['vscode-webview://abc'], 'vscode-webview://abc', 'mcp.example.com', true],
  ])('with origins %j, "%s" toward %s: %s', (origins, origin, authority, allowed) => {
    expect(access.originAllowed(origins, origin, authority)).toBe(allowed);
  });
});

describe('the configuration', () => {
  it('takes hosts, origins and identity', () => {
    for (const members of [
      { hosts: [], origins: [], identity: 'none' },
      { hosts: ['mcp.example.com', 'mcp.example.com:8443', 'localhost', '[::1]', '[2001:db8::1]:443', '192.0.2.7'] },
      { hosts: ['localhost:1', '[::1]:65535'] },
      { origins: ['https://a.example', 'http://localhost:6274', 'http://[::1]:6274', 'chrome-extension://abcdef'] },
      { identity: { jwt: 'payload' } },
      { identity: { jwt: 'payload', subject: 'https://x.example/id', issuer: 'iss' } },
      { identity: { trustedHeader: 'x-user' } },
    ]) {
      expect(access.configure({ ...members, servers })).toEqual([]);
    }
  });

  it.each<[members: object, line: RegExp]>([
    [{ hosts: ['*'] }, /^hosts\[0\]: must be a host in lower case.*no wildcards, found "\*"$/],
    [{ hosts: ['a', '*.example.com'] }, /^hosts\[1\]: must be a host/],
    [{ hosts: ['https://mcp.example.com'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['MCP.example.com'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['mcp.example.com/'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['mcp.example.com:'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['mcp.example.com:0'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['mcp.example.com:0443'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['[::1]:65536'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['mcp.example.com:123456'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: [''] }, /^hosts\[0\]: must be a host/],
    [{ hosts: ['[]'] }, /^hosts\[0\]: must be a host/],
    [{ hosts: [7] }, /^hosts\[0\]: must be a host.*found 7$/],
    [{ hosts: 'mcp.example.com' }, /^hosts: must be a list/],
    [{ origins: ['*'] }, /^origins\[0\]: must be an origin.*no wildcard, found "\*"$/],
    [{ origins: ['null'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['https://a.example/'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['https://a.example:443'] }, /^origins\[0\]: must be an origin.*no default port/],
    [{ origins: ['http://a.example:80'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['https://a.example:65536'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['https://A.example'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['https://*.example'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['a.example'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['://a.example'] }, /^origins\[0\]: must be an origin/],
    [{ origins: ['https:a.example'] }, /^origins\[0\]: must be an origin/],
    [{ identity: 'jwt' }, /^identity: must be "none", /],
    [{ identity: {} }, /^identity: must have either jwt or trustedHeader$/],
    [{ identity: { jwt: 'p', trustedHeader: 'x-user' } }, /^identity: must have either/],
    [{ identity: { jwt: 'p', sub: 'x' } }, /^identity\.sub: is not a member/],
    [{ identity: { jwt: 'a\0b' } }, /^identity\.jwt: must be a name without control characters/],
    [{ identity: { jwt: 'p', subject: 'a\0b' } }, /^identity\.subject: must be a name/],
    [{ identity: { jwt: '' } }, /^identity\.jwt: must be a string that is not empty/],
    [{ identity: { trustedHeader: 'X-User' } }, /^identity\.trustedHeader: must be the name of a header/],
    [{ identity: { trustedHeader: 'authorization' } }, /^identity\.trustedHeader: must be the name/],
    [{ identity: { trustedHeader: 'mcp-session-id' } }, /^identity\.trustedHeader: must be the name/],
    [
      { identity: { trustedHeader: 'x-user', subject: 'sub' } },
      /^identity\.subject: has no meaning with trustedHeader$/,
    ],
  ])('refuses %j', (members, line) => {
    const lines = access.configure({ ...members, servers });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });
});

test('whatever the configuration holds, it is taken or refused', () => {
  const value = fc.oneof(
    fc.constantFrom(
      'none',
      '[',
      '[]',
      ':',
      '://',
      'http://',
      'http://:80',
      '[::1]:',
      { jwt: 'p' },
      { trustedHeader: '' },
    ),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const members = fc.record(
    { hosts: fc.oneof(value, fc.array(value)), origins: fc.oneof(value, fc.array(value)), identity: value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(members, (configuration) => {
      for (const line of access.configure({ ...configuration, servers }))
        expect(line).toMatch(/^(?:hosts|origins|identity)/);
    }),
  );
});

const page = 'https://inspector.example.com';
const get = (...more: Headers): Headers => [
  [':method', 'POST'],
  [':path', '/mcp'],
  [':authority', 'localhost:10000'],
  ...more,
];
const options = (...more: Headers): Headers => get(...more).with(0, [':method', 'OPTIONS']);

describe('access checks', () => {
  const open = { origins: [page], servers };

  it('lets requests in that no page makes, and those of allowed pages', () => {
    expect(access.configure(open)).toEqual([]);
    expect(access.enter(get())).toBeUndefined();
    expect(access.enter(get(['origin', page]))).toBeUndefined();
    expect(access.enter(get(['origin', 'http://localhost:10000']))).toBeUndefined();
  });

  it('refuses other hosts and pages before it looks at anything else', () => {
    access.configure({ ...open, name: 'front' });
    const loop = ['via', '1.1 sluice-front'] as const;
    expect(access.enter(get(['origin', 'https://evil.example'], loop))?.status).toBe(403);
    expect(access.enter(get(['origin', page], ['origin', page]))?.status).toBe(403);
    expect(access.enter(get(['origin', '']))?.status).toBe(403);
    expect(access.enter(get(loop).with(2, [':authority', 'evil.example']))?.status).toBe(403);
    expect(access.enter(get(loop))?.status).toBe(508);
    expect(
      access.enter([
        [':method', 'POST'],
        [':path', '/mcp'],
      ])?.status,
    ).toBe(403);
  });

  it('tells a page of a foreign origin nothing that would let it read the answer', () => {
    access.configure(open);
    const refused = access.enter(get(['origin', 'https://evil.example']));
    expect([...(refused?.headers.keys() ?? [])].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('answers a preflight', () => {
    access.configure(open);
    const asked = 'content-type, Mcp-Param-Region,mcp-param-a_b.c ,x-other, mcp-param-, mcp-param-a b, mcp-param-"';
    const reply = access.enter(options(['origin', page], ['access-control-request-headers', asked]));
    expect(reply?.status).toBe(204);
    expect(Object.fromEntries(reply?.headers ?? [])).toEqual({
      'access-control-allow-origin': page,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers':
        'content-type, authorization, mcp-session-id, mcp-protocol-version, last-event-id, mcp-method, mcp-name, ' +
        'x-mcp-virtualserver, Mcp-Param-Region, mcp-param-a_b.c',
      'access-control-max-age': '7200',
      'access-control-expose-headers': 'mcp-session-id, x-mcp-gateway, www-authenticate',
      vary: 'origin',
    });
  });

  it('lets a page send the headers that are passed on to a server', () => {
    const credentials = { type: 'passthrough', headers: ['x-api-key', 'x-tenant'] };
    access.configure({ origins: [page], servers: [{ name: 'a', cluster: 'a', credentials }] });
    const allowed = access.enter(options(['origin', page]))?.headers.get('access-control-allow-headers');
    expect(allowed).toMatch(/x-mcp-virtualserver, x-api-key, x-tenant$/);
  });

  it('answers a preflight without an identity, as it has none', () => {
    access.configure({ ...open, identity: { jwt: 'payload' } });
    expect(access.enter(options(['origin', page]), loopback, false)?.status).toBe(204);
    const refused = access.enter(get(['origin', page]), loopback, false);
    expect(refused?.status).toBe(401);
    expect(refused?.headers.get('www-authenticate')).toBe('Bearer');
    expect(refused?.headers.get('access-control-allow-origin')).toBe(page);
    expect(access.enter(get(), loopback, true)).toBeUndefined();
  });

  it('refuses a preflight of a foreign origin, and OPTIONS that is none', () => {
    access.configure(open);
    expect(access.enter(options(['origin', 'https://evil.example']))?.status).toBe(403);
    const plain = access.enter(options());
    expect(plain?.status).toBe(405);
    expect(plain?.headers.get('allow')).toBe('GET, POST, DELETE');
  });

  test('whatever the headers are, it is decided', () => {
    access.configure(open);
    const name = fc.oneof(
      fc.constantFrom(':method', ':path', ':authority', 'origin', 'via', 'access-control-request-headers', ''),
      fc.string(),
    );
    const value = fc.oneof(
      fc.constantFrom('OPTIONS', 'POST', page, 'localhost', '[', ']', ':', '[]:', '127.', '.localhost', ',', ''),
      fc.string({ unit: 'binary' }),
    );
    const headers = fc.array(fc.tuple(name, value), { maxLength: 12 });
    fc.assert(
      fc.property(headers, fc.string(), fc.boolean(), (pairs, address, identified) => {
        const reply = access.enter(pairs, address, identified);
        expect([undefined, 204, 401, 403, 404, 405, 508]).toContain(reply?.status);
      }),
    );
  });

  test('no host that is neither a loopback name nor configured gets in on loopback', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(name, fc.option(fc.nat(65535)), (host, port) => {
        const authority = port === null ? host : `${host}:${port}`;
        const meansThisMachine = /^localhost$|\.localhost$|^127(\.\d{1,3}){3}$/.test(host);
        expect(access.hostAllowed(['mcp.example.com'], authority, loopback)).toBe(meansThisMachine);
      }),
    );
  });
});

describe('a response that passes', () => {
  it('loses what the upstream says about origins', () => {
    const upstream: Headers = [
      [':status', '200'],
      ['access-control-allow-origin', '*'],
      ['access-control-expose-headers', 'x-secret'],
      ['vary', 'accept-encoding'],
    ];
    const removed = ['access-control-allow-origin', 'access-control-expose-headers'];
    expect(access.shareResponse(upstream)).toEqual({ set: new Map(), removed });
    const shared = access.shareResponse(upstream, page);
    expect(shared.removed).toEqual(removed);
    expect(shared.set.get('access-control-allow-origin')).toBe(page);
    expect(shared.set.get('access-control-expose-headers')).toBe('mcp-session-id, x-mcp-gateway, www-authenticate');
    expect(shared.set.get('vary')).toBe('accept-encoding, origin');
  });

  it('keeps a vary that says more', () => {
    expect(access.shareResponse([['vary', '*']], page).set.get('vary')).toBe('*');
    expect(access.shareResponse([], page).set.get('vary')).toBe('origin');
  });
});

describe('an identity', () => {
  it('is one value of one header', () => {
    expect(access.subjectIn([['x-user', 'alice']], 'x-user')).toBe('alice');
    expect(access.subjectIn([['x-user', 'Zoë Müller']], 'x-user')).toBe('Zoë Müller');
    expect(access.subjectIn([], 'x-user')).toBe('');
    expect(access.subjectIn([['x-user', '']], 'x-user')).toBe('');
    expect(
      access.subjectIn(
        [
          ['x-user', 'alice'],
          ['x-user', 'alice'],
        ],
        'x-user',
      ),
    ).toBe('');
    expect(
      access.subjectIn(
        [
          ['x-user', ''],
          ['x-user', 'mallory'],
        ],
        'x-user',
      ),
    ).toBe('');
    expect(access.subjectIn([['x-users', 'alice']], 'x-user')).toBe('');
  });

  it('is no claim of another type, as the host writes them', () => {
    const double = (value: number): Uint8Array => new Uint8Array(new Float64Array([value]).buffer);
    expect(access.isSubject(Buffer.from('user-42'))).toBe(true);
    for (const bytes of [double(42), double(1), double(4294967296), Uint8Array.of(1), Uint8Array.of(0)]) {
      expect(access.isSubject(bytes)).toBe(false);
    }
    const list = Buffer.from('\x01\0\0\0\x05\0\0\0\0\0\0\0alice\0\0', 'latin1');
    expect(access.isSubject(list)).toBe(false);
    expect(access.isSubject(new Uint8Array(0))).toBe(false);
  });

  test('different pairs of issuer and subject are bound differently', () => {
    const text = fc.string({ unit: 'binary', maxLength: 6 });
    fc.assert(
      fc.property(text, text, text, text, (issuer, subject, otherIssuer, otherSubject) => {
        const same = issuer === otherIssuer && subject === otherSubject;
        expect(access.boundTo(issuer, subject).equals(access.boundTo(otherIssuer, otherSubject))).toBe(same);
      }),
    );
    expect(access.boundTo('ab', 'c').equals(access.boundTo('a', 'bc'))).toBe(false);
  });
});

describe('a reply of Envoy itself', () => {
  it.each([
    ['response_timeout', 'upstream_timeout'],
    ['max_duration_timeout', 'upstream_timeout'],
    ['upstream_per_try_timeout', 'upstream_timeout'],
    ['no_healthy_upstream', 'upstream_unreachable'],
    ['upstream_reset_before_response_started{connection_termination}', 'upstream_unreachable'],
    ['upstream_reset_before_response_started{overflow}', 'upstream_unreachable'],
    ['upstream_reset_before_response_started{protocol_error}', 'upstream_protocol'],
    ['cluster_not_found', 'upstream_unknown_cluster'],
    ['route_not_found', 'upstream_unknown_cluster'],
    ['direct_response', 'upstream_unknown_cluster'],
    ['request_payload_too_large', 'body_too_large'],
    ['request_overall_timeout', 'request_timeout'],
    ['stream_idle_timeout', 'request_timeout'],
  ])('%s becomes %s', (details, reason) => {
    expect(access.routerReply(details)).toBe(reason);
  });

  it.each([
    'via_upstream',
    'jwt_authn_access_denied{Jwt_is_missing}',
    'rbac_access_denied_matched_policy[none]',
    'local_rate_limited',
    'ext_authz_denied',
    'fault_filter_abort',
    '',
  ])('%s is left as it is', (details) => {
    expect(access.routerReply(details)).toBe('');
  });
});
