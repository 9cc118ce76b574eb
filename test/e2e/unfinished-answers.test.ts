// What metrics, the access log and the log say of an answer that comes under 200 and is none, or has no end.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, startScripted } from './upstreams/scripted.ts';

const events = { 'content-type': 'text/event-stream' };
const progress =
  'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n';
const result = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}';

interface Case {
  readonly what: string;
  readonly answer: Answer;
  readonly outcome: string;
  /** What the log says. */
  readonly line?: string;
}

/** A document whose length is told, so that its end is no news. */
const document =
  (body: string): Answer =>
  (_, reply) => {
    reply.head(200, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) });
    reply.end(body);
  };
const noAnswer = { outcome: 'upstream_protocol', line: 'its answer ended without the response to the call' };

const cases: readonly Case[] = [
  { what: 'a document of a told length', answer: document(result), outcome: 'ok' },
  { what: 'a large one', answer: document(result.replace('[]', `[${' '.repeat(300_000)}]`)), outcome: 'ok' },
  { what: 'one behind a byte order mark', answer: document(`\ufeff${result}`), outcome: 'ok' },
  { what: 'one with two answers', answer: document(`[${result},${result}]`), outcome: 'ok' },
  { what: 'the document null', answer: document('null'), ...noAnswer },
  { what: 'an empty batch', answer: document('[]'), ...noAnswer },
  { what: 'a document of other members', answer: document('{"ok":true}'), ...noAnswer },
  { what: 'the answer to another request', answer: document(result.replace('1', '2')), ...noAnswer },
  { what: 'events that are called JSON', answer: document(`data: ${result}\n\n`), ...noAnswer },
  {
    what: 'an event stream with its answer behind progress',
    answer: (_, reply) => {
      reply.head(200, events);
      reply.write(progress);
      reply.end(`id: 1\r\ndata: ${result}\r\n\r\n`);
    },
    outcome: 'ok',
  },
  {
    what: 'JSON',
    answer: (_, reply) => {
      reply.head(200, { 'content-type': 'application/json; charset=utf-8' });
      reply.end(result);
    },
    outcome: 'ok',
  },
  {
    what: 'an event stream that ends behind progress',
    answer: (_, reply) => {
      reply.head(200, events);
      reply.end(progress);
    },
    outcome: 'upstream_protocol',
    line: 'its answer ended without the response to the call',
  },
  {
    what: 'an event stream that ends in the middle of its answer',
    answer: (_, reply) => {
      reply.head(200, events);
      reply.end(`data: ${result.slice(0, 30)}`);
    },
    outcome: 'upstream_protocol',
    line: 'its answer ended without the response to the call',
  },
  {
    what: 'nothing',
    answer: (_, reply) => {
      reply.head(200, { 'content-type': 'application/json' });
      reply.end();
    },
    outcome: 'upstream_protocol',
    line: 'its answer ended without the response to the call',
  },
  {
    what: 'a page',
    answer: (_, reply) => {
      reply.head(200, { 'content-type': 'text/html' });
      reply.end('<p>welcome</p>');
    },
    outcome: 'upstream_protocol',
    line: 'neither JSON nor an event stream: text/html',
  },
  {
    what: 'an event stream that breaks off',
    answer: (_, reply) => {
      reply.head(200, events);
      reply.write(progress);
      setTimeout(() => {
        reply.reset();
      }, 50);
    },
    outcome: 'upstream_unreachable',
    line: 'its answer broke off',
  },
  {
    what: 'JSON that breaks off',
    answer: (_, reply) => {
      reply.head(200, { 'content-type': 'application/json' });
      reply.write(result.slice(0, 20));
      setTimeout(() => {
        reply.reset();
      }, 50);
    },
    outcome: 'upstream_unreachable',
    line: 'its answer broke off',
  },
  {
    what: 'an event stream that breaks off behind its answer',
    answer: (_, reply) => {
      reply.head(200, events);
      reply.write(`data: ${result}\n\n`);
      setTimeout(() => {
        reply.reset();
      }, 50);
    },
    outcome: 'ok',
  },
];

describeGateway('a server whose answer to a call is', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'one', url: upstream.url }] }));

  let outcomes: readonly string[] = [];
  // Envoy writes its access log every ten seconds: everything first, then one wait.
  beforeAll(async () => {
    const session = await openSession(gateway.current.url);
    for (const { answer } of cases) {
      upstream.answers = { 'tools/call': answer };
      await session.post(callMessage('"one_t"')).catch(() => undefined); // cut off as it was at the server
    }
    const called = (): string[] =>
      gateway.current
        .log()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.includes('"tools/call"'));
    await until('the log is written', () => Promise.resolve(called().length >= cases.length));
    outcomes = called().map((line) => (JSON.parse(line) as { mcp_outcome: string }).mcp_outcome);
  });

  it.each(cases.map((each, index) => ({ ...each, index })))('$what is $outcome', ({ outcome, line, index }) => {
    expect(outcomes[index]).toBe(outcome);
    if (line !== undefined) expect(gateway.current.log()).toContain(`one: ${outcome}: ${line}`);
  });
});
