// The catalog of a gateway that asks for it itself: who asks, what becomes of each answer, and which requests have what.
import { expect, test } from 'vitest';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { answerAll, ask, callOf, INITIALIZE, LIST, openSession, reasonOf, startHost, usualAnswer } from './gateway.ts';
import type { Host, HostOptions } from './host.ts';
import { valueOf } from './pairs.ts';
import type { Stream } from './stream.ts';

const SECOND = 1_000_000_000n;
const source = { cluster: 'plugin-server', namespace: 'team', clusters: ['tools-*'], token: { env: 'SLUICE_TOKEN' } };
const environment = {
  SLUICE_KEY_1: Buffer.alloc(32, 1).toString('base64url'),
  SLUICE_TOKEN: 'a-token-of-this-gateway',
  TOOL_KEY: 'a-key-of-a-tool',
  STATUS: 'a-token-for-the-status',
};

const start = (plugin: object = {}, options: Partial<HostOptions> = {}): Host =>
  startHost({ servers: [], catalog: source, status: { env: 'STATUS' }, ...plugin }, { environment, ...options });

const server = (name: string, more: object = {}): object => ({
  name,
  cluster: `tools-${name}`,
  prefix: `${name}_`,
  ...more,
});

/** A catalog as the plugin server answers it. */
function catalogOf(servers: readonly object[], more: object = {}, etag = '"e1"'): CalloutAnswer {
  const content = { namespace: 'team', revision: 'r1', servers, virtualServers: [], leftOut: [], ...more };
  return textAnswer(JSON.stringify(content), { etag });
}

function textAnswer(text: string, { status = '200', type = 'application/json', etag = '"e1"' } = {}): CalloutAnswer {
  return {
    headers: [
      [':status', status],
      ['content-type', type],
      ['etag', etag],
    ],
    body: Buffer.from(text),
  };
}

const unchanged = (etag: string): CalloutAnswer => textAnswer('', { status: '304', etag });

const asked = (host: Host): Callout[] => host.pending.filter(({ cluster }) => cluster === 'plugin-server');

/** Time passes until one of the hosts asks; it gets the answer, and all take up what came of it. */
function poll(hosts: readonly Host[], answer: CalloutAnswer): Callout {
  for (const host of hosts) host.now += 3n * SECOND;
  for (const host of hosts) host.tick();
  const [callout, ...others] = hosts.flatMap((host) => asked(host).map((each) => ({ host, each })));
  if (callout === undefined || others.length > 0) throw new Error(`${others.length + Number(!!callout)} have asked`);
  callout.host.answer(callout.each, answer);
  for (const host of hosts) host.tick();
  return callout.each;
}

function names(host: Host): string[] {
  const headers = openSession(host);
  const stream = ask(host, { headers, body: LIST });
  answerAll(host);
  const found = [...(stream.reply?.body.toString() ?? '').matchAll(/"name":"(\w+)"/g)].map(([, name]) => name ?? '');
  stream.close();
  return found;
}

function status(host: Host): Record<string, unknown> {
  const stream = ask(host, {
    method: 'GET',
    path: '/mcp/-/status',
    headers: [['authorization', 'Bearer a-token-for-the-status']],
  });
  const text = stream.reply?.body.toString() ?? '';
  stream.close();
  return (JSON.parse(text) as { catalog: Record<string, unknown> }).catalog;
}

test('one of the workers asks, with the token; all serve what it finds', () => {
  const first = start();
  const hosts = [first, start({}, { worker: first.worker, seed: 2 }), start({}, { worker: first.worker, seed: 3 })];
  const callout = poll(hosts, catalogOf([server('weather')]));
  expect(callout.headers).toEqual([
    [':method', 'GET'],
    [':path', '/catalog/team?form=module'],
    [':authority', 'plugin-server'],
    ['user-agent', 'sluice'],
    ['accept', 'application/json'],
    ['accept-encoding', 'identity'],
    ['authorization', 'Bearer a-token-of-this-gateway'],
  ]);
  for (const host of hosts) {
    expect(names(host)).toEqual(['weather_get']);
    expect(status(host)).toMatchObject({ namespace: 'team', revision: 'r1', servers: 1, leftOut: [] });
  }
  const again = poll(hosts, unchanged('"e1"'));
  expect(valueOf(again.headers, 'if-none-match')).toBe('"e1"');
  poll(hosts, catalogOf([server('weather'), server('notes')], { revision: 'r2' }));
  for (const host of hosts) expect(names(host)).toEqual(['weather_get', 'notes_get']);
  expect(
    hosts.flatMap(({ log }) => log).filter((line) => line.includes('revision r2 is served, servers: 2')),
  ).toHaveLength(1);
});

test('it is asked for no more often than the interval says, and again where who has asked is gone', () => {
  const host = start();
  host.tick();
  expect(asked(host)).toHaveLength(1);
  host.now += 5n * SECOND;
  host.tick();
  expect(asked(host)).toHaveLength(1);
  host.now += 2n * SECOND;
  host.tick();
  expect(asked(host)).toHaveLength(2);
});

test('a request before the first catalog is told so, a health check as well', () => {
  const host = start();
  const stream = ask(host, { body: INITIALIZE });
  expect(reasonOf(stream)).toBe('catalog_unready');
  expect(stream.reply?.body.toString()).toContain('team: the plugin server was not heard of yet');
  expect(valueOf(stream.reply?.headers ?? [], 'retry-after')).toBe('1');
  const health = (): number | undefined => ask(host, { method: 'GET', path: '/mcp/-/health' }).reply?.status;
  expect(health()).toBe(503);
  poll([host], textAnswer('no', { status: '503' }));
  expect(ask(host, { body: INITIALIZE }).reply?.body.toString()).toContain('the plugin server answers with HTTP 503');
  poll([host], catalogOf([]));
  expect(ask(host, { body: INITIALIZE }).reply?.body.toString()).toContain(
    'team: it has no server that is served here',
  );
  poll([host], catalogOf([server('weather')], { revision: 'r2' }));
  expect(health()).toBe(200);
  expect(names(host)).toEqual(['weather_get']);
});

test('servers of the gateway itself do not wait for it; what is not among them may come', () => {
  const host = start({ servers: [{ name: 'own', cluster: 'own' }] });
  const headers = openSession(host);
  const unknown = ask(host, { headers, body: callOf('weather_get') });
  expect(reasonOf(unknown)).toBe('catalog_unready');
  expect(reasonOf(ask(host, { path: '/mcp/team/all', body: INITIALIZE }))).toBe('catalog_unready');
  expect(names(host)).toEqual(['own_get']);
  const virtualServers = [{ name: 'team/all', tools: ['weather_*', 'own_*'] }];
  poll([host], catalogOf([server('weather')], { virtualServers }));
  expect(names(host)).toEqual(['own_get', 'weather_get']);
  expect(reasonOf(ask(host, { headers, body: callOf('other_get') }))).toBe('unknown_tool');
  // A virtual server of a catalog shows what is of the catalog, and nothing of the gateway's own.
  const opening = ask(host, { path: '/mcp/team/all', body: INITIALIZE });
  expect(host.pending.map(({ cluster }) => cluster)).toEqual(['tools-weather']);
  answerAll(host);
  expect(opening.reply?.status).toBe(200);
});

test('a server of it is found again by the cookie of its balancer', () => {
  const host = start();
  poll([host], catalogOf([server('weather', { stickyCookie: 'LB' })]));
  const headers = openSession(host, (callout) => {
    const usual = usualAnswer(callout);
    return usual && { ...usual, headers: [...usual.headers, ['set-cookie', 'LB=i1; Path=/']] };
  });
  ask(host, { headers, body: LIST });
  expect(host.pending.map((callout) => valueOf(callout.headers, 'cookie'))).toEqual(['LB=i1']);
});

const bad: readonly (readonly [string, CalloutAnswer, string])[] = [
  ['no answer', undefined, 'the connection to the plugin server broke, or was refused'],
  ['a page', textAnswer('<html>', { type: 'text/html' }), 'something other than JSON: text/html'],
  ['a page that says it is JSON', textAnswer('<html>'), 'is no JSON, or is cut off'],
  ['half of one', textAnswer('{"namespace":"team","revision":"r2","servers":[{"na'), 'is no JSON, or is cut off'],
  ['nothing', textAnswer(''), 'is no JSON, or is cut off'],
  ['other JSON', textAnswer('{"error":"no"}'), 'is no catalog'],
  ['a list', textAnswer('[]'), 'is no catalog'],
  ['one without servers', catalogOf([], { servers: null }), 'is no catalog'],
  ['a revision that is none', catalogOf([], { revision: 'a\nb' }), 'is no catalog'],
  ['another namespace', catalogOf([], { namespace: 'other' }), 'the catalog of another namespace'],
  ['a refusal of the token', textAnswer('{}', { status: '401' }), 'wants a token'],
  ['an unknown catalog', textAnswer('{}', { status: '404' }), 'has no catalog of this namespace'],
  ['an error', textAnswer('{}', { status: '500' }), 'HTTP 500'],
  ['too much', textAnswer(`{"a":"${'x'.repeat(2 << 20)}"}`), 'is larger than catalog.maxBytes: 2097160 bytes'],
  ['too many servers', catalogOf(Array.from({ length: 2001 }, () => ({}))), 'has more than 2000 servers'],
];

test.each(bad)('%s wipes nothing, and is told once', (_name, answer, said) => {
  const host = start({ catalog: { ...source, maxBytes: '1Mi' } });
  poll([host], catalogOf([server('weather')]));
  poll([host], answer);
  poll([host], answer);
  expect(host.log.filter((line) => line.includes(said) && line.includes('what is served stays'))).toHaveLength(1);
  const { lastFailure, revision } = status(host);
  expect((lastFailure as { detail: string }).detail).toContain(said);
  expect(revision).toBe('r1');
  expect(names(host)).toEqual(['weather_get']);
  poll([host], catalogOf([server('notes')], { revision: 'r2' }));
  expect(status(host)).not.toHaveProperty('lastFailure');
  expect(names(host)).toEqual(['notes_get']);
});

test('a cluster that is not there is told', () => {
  const host = start({ catalog: { ...source, cluster: 'no-plugin-server' } });
  host.tick();
  expect(host.log.filter((line) => line.includes('has no cluster of the name that catalog.cluster says'))).toHaveLength(
    1,
  );
});

test.each([
  ['a cluster that is not allowed', server('bad', { cluster: 'payments' }), 'servers[0].cluster: is a cluster that'],
  ['credentials', server('bad', { credentials: { type: 'none' } }), 'servers[0].credentials: is not a member'],
  ['trust', server('bad', { trusted: true }), 'servers[0].trusted: is not a member'],
  ['the prefix of another one', server('bad', { prefix: 'own_' }), 'servers[0].prefix: begins with the prefix'],
  ['the name of another one', server('own', { prefix: 'x_' }), 'servers[0].name: is the name of another server'],
  ['no prefix', server('bad', { prefix: '' }), 'servers[0].prefix: may be empty only'],
  ['a variable that is not for it', server('bad', restWith({ env: 'SLUICE_KEY_1' })), 'and in catalog.env'],
  [
    'an authorization that is passed on',
    server('bad', rest({ passthroughAuthHeader: true })),
    'is not for a catalog to say',
  ],
  ['what is no server', 'weather', 'servers[0]: must be an object'],
] as const)('%s keeps one server out, and no other', (_name, wrong, said) => {
  const host = start({ servers: [{ name: 'own', cluster: 'own' }], catalog: { ...source, env: ['TOOL_*'] } });
  const right = server('rest', restWith({ env: 'TOOL_KEY' }));
  poll([host], catalogOf([wrong as object, server('weather'), right]));
  expect(status(host)['leftOut']).toEqual([expect.stringContaining(said)]);
  expect(host.log.some((line) => line.includes('left out: catalog.') && line.includes(said))).toBe(true);
  expect(names(host)).toEqual(['own_get', 'weather_get', 'rest_item']);
});

function rest(more: object): object {
  return {
    rest: {
      tools: [{ name: 'item', description: 'An item', args: [], requestTemplate: { url: '/item', method: 'GET' } }],
      ...more,
    },
  };
}

function restWith(credential: object): object {
  const scheme = { id: 'key', type: 'apiKey', in: 'header', name: 'x-key', defaultCredential: credential };
  return rest({ securitySchemes: [scheme], defaultUpstreamSecurity: { id: 'key' } });
}

test('what the whole gateway cannot be made of is refused, and not sent again', () => {
  const overrides = [
    { tool: 'own_get', name: 'get' },
    { tool: 'own_*', name: '*' },
    { tool: 'b_*', name: '*' },
  ];
  const host = start({ servers: [{ name: 'own', cluster: 'own' }], overrides });
  poll([host], catalogOf([server('a')]));
  poll([host], catalogOf([server('b')], { revision: 'r2' }, '"e2"'));
  expect(status(host)).toMatchObject({
    revision: 'r1',
    lastFailure: { detail: expect.stringContaining('takes the prefix from a second server') as string },
  });
  const next = poll([host], unchanged('"e2"'));
  expect(valueOf(next.headers, 'if-none-match')).toBe('"e1", "e2"');
  expect(status(host)).toHaveProperty('lastFailure');
});

test('a request keeps what it began with, however the catalog changes meanwhile', () => {
  const host = start();
  poll([host], catalogOf([server('weather'), server('notes')]));
  const headers = openSession(host);
  const waiting = ask(host, { headers, body: LIST });
  const sent = [...host.pending];
  poll([host], catalogOf([server('notes')], { revision: 'r2' }));
  poll([host], catalogOf([server('other')], { revision: 'r3' }));
  for (const callout of sent) host.answer(callout, usualAnswer(callout));
  expect(toolsIn(waiting)).toEqual(['weather_get', 'notes_get']);
  waiting.close();
  expect(reasonOf(ask(host, { headers, body: callOf('weather_get') }))).toBe('unknown_tool');
  expect(names(host)).toEqual(['other_get']);
});

test('a session goes on over a new catalog, also with a key of this Envoy alone', () => {
  const host = start({ sessions: {} });
  poll([host], catalogOf([server('weather')]));
  const headers = openSession(host);
  poll([host], catalogOf([server('weather'), server('notes')], { revision: 'r2' }));
  const stream = ask(host, { headers, body: LIST });
  answerAll(host);
  expect(toolsIn(stream)).toEqual(['weather_get', 'notes_get']);
});

test('an old catalog gives all of its memory back', () => {
  const host = start();
  const servers = Array.from({ length: 100 }, (_, index) => server(`s${index}`, rest({})));
  const many = (revision: string): CalloutAnswer => catalogOf(servers, { revision });
  const run = (count: number): void => {
    for (let index = 0; index < count; index++) {
      poll([host], many(`r${index}`));
      const stream = ask(host, { body: INITIALIZE });
      poll([host], many(`s${index}`));
      answerAll(host);
      stream.close();
    }
  };
  run(10);
  const before = host.pages;
  run(50);
  expect(host.pages).toBe(before);
});

test('the configuration itself is checked', () => {
  const wrong = {
    cluster: 'a b',
    namespace: 'A',
    interval: '10ms',
    maxBytes: '1Gi',
    clusters: 'x',
    clusterNames: 'k8s',
  };
  const lines = refusalOf({ catalog: wrong });
  for (const member of Object.keys(wrong)) expect(lines).toContain(`catalog.${member}: `);
  expect(refusalOf({ catalog: { namespce: 'team' } })).toContain('did you mean "namespace"?');
  expect(refusalOf({ catalog: { ...source, defaults: { trusted: true } } })).toContain('catalog.defaults.trusted');
  expect(refusalOf({ catalog: { ...source, token: 'secret' } })).toContain('catalog.token: may be a secret');
});

function refusalOf(plugin: object): string {
  try {
    start(plugin);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

function toolsIn({ reply }: Stream): string[] {
  return [...(reply?.body.toString() ?? '').matchAll(/"name":"(\w+)"/g)].map(([, name]) => name ?? '');
}

test('a configuration without servers serves nothing, and says so', () => {
  const host = startHost();
  const headers = openSession(host);
  expect(host.configure('{"servers":[]}')).toBe(true);
  expect(host.log).toContain('warn: configuration: servers: lists no server, so that nothing is served');
  for (const request of [{ body: INITIALIZE }, { headers, body: LIST }, { headers, body: callOf('weather_get') }]) {
    const stream = ask(host, request);
    expect(reasonOf(stream)).toBe('catalog_unready');
    expect(stream.reply?.body.toString()).toContain('its configuration lists no server');
  }
});
