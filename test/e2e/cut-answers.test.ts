// Answers to calls that break off, or end without the response to the call: what metrics and log say of them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, mcpHeaders, openSession } from './clients/session.ts';
import { upload } from './clients/upload.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import {
  type Answer,
  type Scripted,
  events,
  json,
  pieces,
  result,
  startScripted,
  status,
} from './upstreams/scripted.ts';

const progress =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n';
const response = '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"done"}]}}';

/** Begins so, and resets the connection. */
const breaksOff =
  (type: string, text: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  (request, reply) => {
    reply.head(200, { 'content-type': type, ...headers });
    reply.write(text.replaceAll('ID', request.id));
    setTimeout(() => {
      reply.reset();
    }, 50);
  };

const cut: readonly (readonly [string, Answer, string])[] = [
  ['after progress', breaksOff('text/event-stream', progress), 'upstream_unreachable'],
  ['in its first event', breaksOff('text/event-stream', 'data: {"jsonrpc"'), 'upstream_unreachable'],
  [
    'in the event of the response',
    breaksOff('text/event-stream', `data: ${response.slice(0, 60)}`),
    'upstream_unreachable',
  ],
  ['in a document', breaksOff('application/json', response.slice(0, 60)), 'upstream_unreachable'],
  [
    'short of its length',
    breaksOff('application/json', '{"jsonrpc":', { 'content-length': '500' }),
    'upstream_unreachable',
  ],
  [
    'far into a large document',
    breaksOff('application/json', response.replace('done', 'x'.repeat(300_000)).slice(0, -3)),
    'upstream_unreachable',
  ],
];

const without: readonly (readonly [string, Answer])[] = [
  ['progress alone', events(progress, progress)],
  ['an event without a word', events('retry: 500\ndata:\n\n')],
  ['comments alone', events(': ping\n\n', ': ping\n\n')],
  ['half an event', events(`data: ${response.slice(0, 60)}`)],
  ['half a document', json(response.slice(0, 30), response.slice(30, 60))],
  ['a document about nothing', json('{}')],
  ['the response to another request', json('{"jsonrpc":"2.0","id":"other","result":{}}')],
  ['no byte', pieces('application/json', [''])],
];

/** What no client could read: it gets a row of the table instead. */
const unreadable: readonly (readonly [string, Answer, RegExp])[] = [
  ['202 and no body', status(202), /HTTP 202 without a (?:body|content-type)/],
  ['204', status(204), /HTTP 204 without a body/],
  ['a page', status(200, 'text/html', '<p>Sign in'), /neither JSON nor an event stream: text\/html/],
];

describeGateway('an answer that is none', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'one', url: server.url }] }));

  const counted = async (outcome: string): Promise<number> => {
    const stats = await gateway.current.stats();
    return stats.get(`wasmcustom.sluice_requests_total.method=tools/call.server=one.outcome=${outcome}.end`) ?? 0;
  };

  /** One call is counted as this, and none as `ok`. */
  async function expectOutcome(outcome: string, call: () => Promise<unknown>): Promise<void> {
    const [before, ok] = [await counted(outcome), await counted('ok')];
    await call();
    await until(`a call is counted as ${outcome}`, async () => (await counted(outcome)) > before);
    expect([await counted(outcome), await counted('ok')]).toEqual([before + 1, ok + (outcome === 'ok' ? 1 : 0)]);
  }

  describe.each(bothProtocols)('over %s', (http) => {
    it.each(cut)('as it breaks off %s', async (_, answer, outcome) => {
      const session = await openSession(gateway.current.url, { http });
      server.answers = { 'tools/call': answer };
      const from = gateway.current.log().length;
      await expectOutcome(outcome, async () => {
        // Envoy 1.36 resets a stream of HTTP/2 with NO_ERROR, which this client takes for its end.
        await session.post(callMessage('"one_echo"')).catch(() => undefined);
      });
      server.answers = {};
      await until('the log says so', () =>
        gateway.current.log().slice(from).includes(`one: ${outcome}: its answer broke off`),
      );
    });

    it.each(without)('as it has %s', async (_, answer) => {
      const session = await openSession(gateway.current.url, { http });
      server.answers = { 'tools/call': answer };
      const from = gateway.current.log().length;
      await expectOutcome('upstream_protocol', async () => {
        expect((await session.post(callMessage('"one_echo"'))).status).toBe(200);
      });
      server.answers = {};
      const says = 'one: upstream_protocol: its answer ended without the response to the call';
      await until('the log says so', () => gateway.current.log().slice(from).includes(says));
    });

    it.each(unreadable)('as it is %s', async (_, answer, says) => {
      const session = await openSession(gateway.current.url, { http });
      server.answers = { 'tools/call': answer };
      await expectOutcome('upstream_protocol', async () => {
        const failed = await session.post(callMessage('"one_echo"', '{}', '"c"'));
        expect(refusal(failed)).toMatchObject({ status: 200, id: 'c', reason: 'upstream_protocol', server: 'one' });
        expect(message(failed).error?.message).toMatch(says);
      });
      server.answers = {};
    });

    it.each<[string, Answer]>([
      ['a document', result('{"content":[]}')],
      ['an event', events(`data: ${response}\n\n`)],
      ['an event after others', events('id: 0\ndata:\n\n', progress, `: ping\n\ndata: ${response}\n\n`, ': bye\n\n')],
      // Its client has it go on: the answer comes then.
      ['a priming event alone', events('id: 1\nretry: 500\ndata:\n\n')],
      ['an event in pieces', events(...(`event: message\ndata: ${response}\n\n`.match(/.{1,7}/gs) ?? []))],
      ['a large document', result(`{"content":[{"type":"text","text":"${'x'.repeat(500_000)}"}]}`)],
      ['an error', json('{"error":{"code":-32602,"message":"no"},"jsonrpc":"2.0","id":ID}')],
      ['an answer that breaks off behind the response', breaksOff('text/event-stream', `data: ${response}\n\n`)],
    ])('is not said of %s', async (_, answer) => {
      const session = await openSession(gateway.current.url, { http });
      server.answers = { 'tools/call': answer };
      await expectOutcome('ok', async () => {
        await session.post(callMessage('"one_echo"')).catch(() => undefined);
      });
      server.answers = {};
    });

    it('is not the server’s doing where its client goes away', async () => {
      const session = await openSession(gateway.current.url, { http });
      let hasBegun = false;
      server.answers = {
        'tools/call': (_, reply) => {
          reply.head(200, { 'content-type': 'text/event-stream' });
          reply.write(progress);
          setTimeout(() => {
            hasBegun = true;
          }, 100);
        },
      };
      await expectOutcome('aborted', async () => {
        const body = Buffer.from(callMessage('"one_echo"'));
        const framing = http === 'HTTP/2' ? http : 'HTTP/1.1 with a length';
        const headers = { ...mcpHeaders, 'mcp-session-id': session.id };
        server.forget();
        const leaving = upload(gateway.current.url, { framing, headers, size: body.length });
        await leaving.write(body);
        leaving.end();
        await until('the call is at its server', () => server.of('tools/call').length > 0);
        // The beginning of the answer is on its way.
        await until('the answer has begun', () => hasBegun);
        leaving.leave();
      });
      server.answers = {};
    });
  });
});
