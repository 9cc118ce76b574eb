// What a server does wrong while a session begins and while tools are listed: it is left out, the others are not.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import { initializeMessage, listMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import {
  type Answer,
  type Scripted,
  compressed,
  events,
  json,
  never,
  reset,
  result,
  startScripted,
  status,
} from './upstreams/scripted.ts';

const html = '<!doctype html><p>Internal Server Error';
const challenge = { 'www-authenticate': 'Bearer resource_metadata="http://upstream.invalid/"' };

/** Answers and never ends, as a server that keeps the stream of a POST for its own messages. */
const staysOpen =
  (data: string): Answer =>
  (request, reply) => {
    reply.head(200, { 'content-type': 'text/event-stream' });
    reply.write(`data: ${data.replaceAll('ID', request.id)}\n\n`);
  };

/** What the server does, the row, and what the log says of it. */
type Failing = readonly [string, Answer, string, RegExp];

const neverAnswers: Failing = ['never answers', never, 'upstream_timeout', /no answer/];

/** What may be wrong with any answer. */
const failures: readonly Failing[] = [
  neverAnswers,
  ['ends the connection', reset, 'upstream_unreachable', /no connection/],
  ['answers 500 in HTML', status(500, 'text/html', html), 'upstream_status', /HTTP 500/],
  ['answers 503 in its own words', status(503, 'text/plain', 'busy'), 'upstream_status', /HTTP 503/],
  ['answers 401', status(401, 'application/json', '{}', challenge), 'upstream_unauthorized', /HTTP 401/],
  ['redirects', status(307, undefined, '', { location: '/elsewhere' }), 'upstream_status', /HTTP 307, a redirect/],
  [
    'answers 200 in HTML',
    status(200, 'text/html', html),
    'upstream_protocol',
    /neither JSON nor an event stream: text\/html/,
  ],
  ['answers 200 without a body', status(200, 'application/json'), 'upstream_protocol', /no response to/],
  ['answers 202', status(202), 'upstream_protocol', /HTTP 202 without a body/],
  ['answers without a type', status(200, undefined, '{}'), 'upstream_protocol', /HTTP 200 without a content-type/],
  ['answers 304', status(304), 'upstream_status', /HTTP 304(?!,)/],
  [
    'answers with more headers than Envoy takes',
    status(200, 'application/json', '{}', Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`x-${n}`, 'v']))),
    'upstream_protocol',
    /what it sends is not HTTP as Envoy expects, or its headers are too large/,
  ],
  [
    'compresses its answer',
    compressed((id) => gzipSync(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[]}}`)),
    'upstream_protocol',
    /compressed, although the gateway accepts no content-encoding: gzip/,
  ],
  [
    'sends half a document',
    json('{"jsonrpc":"2.0","id":ID,"result":{"tools":['),
    'upstream_protocol',
    /no response to/,
  ],
  ['sends half an event', events('data: {"jsonrpc":"2.0","id":ID,"res'), 'upstream_protocol', /no response to/],
  ['sends no event with data', events('id: 1\ndata:\n\n: bye\n\n'), 'upstream_protocol', /no response to/],
  [
    'answers another request',
    json('{"jsonrpc":"2.0","id":0,"result":{"tools":[]}}'),
    'upstream_protocol',
    /no response to/,
  ],
  ['answers with bytes that are no text', json(Buffer.from([0x7b, 0xff, 0x7d])), 'upstream_protocol', /no response to/],
  [
    'refuses',
    json('{"jsonrpc":"2.0","id":ID,"error":{"code":-32000,"message":"not \\"today\\""}}'),
    'upstream_protocol',
    /it refused [a-z/]+: (-32000 )?not "today"/,
  ],
  [
    'refuses without a word',
    json('{"jsonrpc":"2.0","id":ID,"error":{"code":{"a":1}}}'),
    'upstream_protocol',
    /it refused (initialize|tools\/list)(?!:)/,
  ],
];

const limits = { handshakeTimeout: '1500ms', listTimeout: '1500ms', listPages: 7, listBytes: '20Ki' };

let good: Scripted;
let bad: Scripted;
let down: Scripted;
beforeAll(async () => {
  good = await startScripted({ tools: ['echo'] });
  bad = await startScripted({ tools: ['echo'] });
  down = await startScripted();
  await down.stop();
});
afterAll(() => Promise.all([good.stop(), bad.stop()]));

/** A gateway of all three, and one of the server that fails alone. */
function useGateways(): Readonly<Record<'gateway' | 'alone', { readonly current: Gateway }>> {
  return {
    gateway: useGateway(() => ({
      servers: [
        { name: 'down', url: down.url },
        { name: 'bad', url: bad.url },
        { name: 'good', url: good.url },
      ],
      plugin: { limits },
    })),
    alone: useGateway(() => ({ servers: [{ name: 'bad', url: bad.url }], plugin: { limits } })),
  };
}

/** The log since `from`, once it has the line; a line of another test would prove nothing. */
async function logged(gateway: Gateway, from: number, line: RegExp): Promise<void> {
  await until(`the log says ${line.source}`, () => line.test(gateway.log().slice(from)));
}

/**
 * A session begins without the server `bad`, and the log says why; the client of a gateway that has no other is told.
 * @param gateway that has `good` as well. @param alone that has not
 */
async function expectLeftOut(gateway: Gateway, alone: Gateway, reason: string, says: RegExp): Promise<void> {
  const from = gateway.log().length;
  const session = await openSession(gateway.url);
  expect(toolNames(await session.post(listMessage()))).toEqual(['good_echo']);
  await logged(gateway, from, new RegExp(`\\[warning\\]\\[wasm\\].* bad: ${reason}: .*${says.source}`));

  const nobody = await post(alone.url, initializeMessage());
  expect(refusal(nobody)).toEqual({ status: 200, id: 0, code: -32603, reason, server: 'bad' });
  expect(message(nobody).error?.message).toMatch(says);
  expect(nobody.headers).not.toHaveProperty('www-authenticate');
  expect(nobody.headers).not.toHaveProperty('mcp-session-id');
}

describeGateway('while a server fails, the others are served', () => {
  const { gateway, alone } = useGateways();

  /** Its backoff is over, and what it does next is seen. */
  async function back(): Promise<void> {
    bad.answers = {};
    await until('the server is listed again', async () => {
      const session = await openSession(gateway.current.url);
      return toolNames(await session.post(listMessage())).includes('bad_echo');
    });
  }

  const handshakes: readonly Failing[] = [
    ...failures.filter((failing) => failing !== neverAnswers),
    [
      'chooses a revision that nobody knows',
      json('{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2999-01-01","capabilities":{}}}'),
      'upstream_protocol',
      /revision that the gateway does not speak: 2999-01-01/,
    ],
  ];

  it.each(handshakes)('when initialize: it %s', async (_, answer, reason, says) => {
    bad.answers = { initialize: answer };
    await expectLeftOut(gateway.current, alone.current, reason, says);
    expect(gateway.current.log()).toMatch(/\[warning\]\[wasm\].* down: upstream_unreachable: no connection/);
    await back();
  });

  it.each([
    ['never answers', never, 'upstream_timeout'],
    ['answers 500', status(500, 'text/html', html), 'upstream_status'],
  ])('when notifications/initialized: it %s', async (_, answer, reason) => {
    bad.answers = { 'notifications/initialized': answer };
    const from = gateway.current.log().length;
    const session = await openSession(gateway.current.url);
    expect(toolNames(await session.post(listMessage()))).toEqual(['good_echo']);
    await logged(gateway.current, from, new RegExp(`bad: ${reason}: `));
    await back();
  });

  let page = 0;
  /** A page that leads to another one, each time. */
  const endless: Answer = (request, reply) =>
    result(`{"tools":[{"name":"more","inputSchema":{"type":"object"}}],"nextCursor":"${page++}"}`)(request, reply);
  const lists: readonly Failing[] = [
    ...failures,
    ['gives a next cursor for ever', endless, 'upstream_protocol', /more pages than limits\.listPages allows/],
    [
      'lists more than anyone can read',
      result(`{"tools":[{"name":"${'x'.repeat(30_000)}"}]}`),
      'upstream_protocol',
      /larger than limits\.listBytes/,
    ],
    [
      'keeps its event stream open',
      staysOpen('{"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"echo"}]}}'),
      'upstream_protocol',
      /keeps the event stream open/,
    ],
  ];

  it.each(lists)('when tools/list: it %s', async (_, answer, reason, says) => {
    const session = await openSession(gateway.current.url);
    const lonely = await openSession(alone.current.url);
    bad.answers = { 'tools/list': answer };
    const from = gateway.current.log().length;
    expect(toolNames(await session.post(listMessage()))).toEqual(['good_echo']);
    await logged(gateway.current, from, new RegExp(`\\[warning\\]\\[wasm\\].* bad: ${reason}: .*${says.source}`));
    expect(refusal(await lonely.post(listMessage('"l"')))).toEqual({
      status: 200,
      id: 'l',
      code: -32603,
      reason,
      server: 'bad',
    });
    bad.answers = {};
    expect(toolNames(await session.post(listMessage())), 'later, it is back').toEqual(['bad_echo', 'good_echo']);
  });

  it('asks for as many pages as the limit allows, and no more', async () => {
    const session = await openSession(gateway.current.url);
    bad.forget();
    bad.answers = { 'tools/list': endless };
    await session.post(listMessage());
    expect(bad.of('tools/list')).toHaveLength(limits.listPages);
    bad.answers = {};
  });

  it('takes a server that offers tools and knows no tools/list for one without tools', async () => {
    const session = await openSession(alone.current.url);
    bad.answers = {
      'tools/list': json('{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"Method not found"}}'),
    };
    expect(toolNames(await session.post(listMessage()))).toEqual([]);
    bad.answers = {};
  });

  it('is asked for answers without a coding', async () => {
    bad.forget();
    const session = await openSession(gateway.current.url);
    await session.post(listMessage());
    const asked = bad.requests.map(({ rpcMethod, headers }) => [rpcMethod, headers['accept-encoding']]);
    expect(asked).toEqual([
      ['initialize', 'identity'],
      ['notifications/initialized', 'identity'],
      ['tools/list', 'identity'],
    ]);
  });

  it('serves a server that has come up by the time of the next session', async () => {
    await down.start();
    const session = await openSession(gateway.current.url);
    expect(toolNames(await session.post(listMessage()))).toEqual(['bad_echo', 'good_echo']);
    expect(message(session.initialized).result?.['capabilities']).toEqual({ tools: {} });
    await down.stop();
    expect(toolNames(await session.post(listMessage())), 'and leaves it out when it is down again').toEqual([
      'bad_echo',
      'good_echo',
    ]);
  });

  it('does not let a server that is late delay the others beyond its time', async () => {
    bad.answers = { initialize: never };
    const begun = Date.now();
    await openSession(gateway.current.url);
    const took = Date.now() - begun;
    expect(took).toBeGreaterThanOrEqual(1_400);
    expect(took, 'one timeout, not one for each server or page').toBeLessThan(10_000);
    bad.answers = {};
  });
});

// Such a server is not asked again for ten seconds: gateways of their own spare the next test the wait.
const lateHandshakes: readonly Failing[] = [
  neverAnswers,
  [
    'keeps its event stream open',
    staysOpen('{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}'),
    'upstream_protocol',
    /keeps the event stream open/,
  ],
];

for (const [what, answer, reason, says] of lateHandshakes) {
  describeGateway(`while a server ${what}, the others are served`, () => {
    const { gateway, alone } = useGateways();

    it('when initialize', async () => {
      bad.answers = { initialize: answer };
      await expectLeftOut(gateway.current, alone.current, reason, says);
      bad.answers = {};
    });
  });
}
