// Ids and tokens are their senders': whatever they are written as, they come back so, whoever sends them.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type EventStream, postForEvents } from './clients/event-stream.ts';
import { type Session, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, startScripted, status } from './upstreams/scripted.ts';

/** As JSON. What no double holds, what a number and a text have in common, what is easily taken for nothing. */
const ids = [
  '1',
  '"1"',
  '0',
  '-7',
  '""',
  '9007199254740993',
  '"9007199254740993"',
  '123456789012345678901234567890',
  '"\\u0061\\"\\ud800"',
  '"日本"',
];

/** Numbers that change where a document is read and written again. */
const exact = '{"big":9007199254740993,"float":1.0,"exponent":1E+2}';

const call = (name: string, id: string, meta = ''): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"${name}"${meta}}}`;
const response = (id: string): string => `{"jsonrpc":"2.0","id":${id},"result":${exact}}`;
const asking = (id: string): string =>
  `{"jsonrpc":"2.0","id":${id},"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}`;

/** The id of a message, as it is written. */
function idIn(text: string): string {
  const [, id] = /"id":("(?:[^"\\]|\\.)*"|-?[\d.]+)/.exec(text) ?? [];
  if (id === undefined) throw new Error(`there is no id in ${text}`);
  return id;
}

/** Messages without a method: responses. */
const responses = (server: Scripted): string[] => server.of('POST').map(({ body }) => body.toString());

describeGateway('ids', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['ask', 'report'], sessionId: 'session-of-one' });
    two = await startScripted({ tools: ['ask', 'report'], sessionId: 'session-of-two' });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  beforeEach(() => {
    for (const server of [one, two]) {
      server.forget();
      server.answers = { POST: status(202) };
    }
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
  }));
  const opened: EventStream[] = [];
  afterEach(() => {
    for (const stream of opened.splice(0)) stream.leave();
  });
  const send = async (session: Session, body: string): Promise<EventStream> => {
    const stream = await postForEvents(gateway.current.url, session.id, body);
    opened.push(stream);
    return stream;
  };
  /** A session of a client that can be asked. */
  const open = () => openSession(gateway.current.url, { capabilities: { sampling: {} } });
  /** Asks under this id, and ends its answer once it has a response. */
  const asksUnder =
    (server: Scripted, id: string): Answer =>
    async (request, reply) => {
      const before = responses(server).length;
      reply.head(200, { 'content-type': 'text/event-stream' });
      reply.write(`data: ${asking(id)}\n\n`);
      await until('the server has a response', () => responses(server).length > before);
      reply.end(`data: ${response(request.id)}\n\n`);
    };

  it('of requests of servers come back as they were', async () => {
    const session = await open();
    for (const id of ids) {
      one.answers['tools/call'] = asksUnder(one, id);
      const stream = await send(session, call('one_ask', id));
      const asked = idIn(await stream.next());
      expect((await session.post(response(asked))).status, id).toBe(202);
      expect(await stream.end()).toEqual([response(id)]);
      expect(responses(one).at(-1)).toBe(response(id));
    }
    expect(responses(two)).toEqual([]);
  });

  it('of one server may be those of another, and of a client', async () => {
    const session = await open();
    const calls = [one, two].flatMap((server) =>
      ['1', '"1"'].map((id) => ({ server, id, name: server === one ? 'one_ask' : 'two_ask' })),
    );
    for (const server of [one, two]) {
      // Under the id of the call: four calls, four requests, and two ids.
      server.answers['tools/call'] = (request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.write(`data: ${asking(request.id)}\n\n`);
        return until('the server has this response', () =>
          responses(server).some((text) => text.startsWith(`{"jsonrpc":"2.0","id":${request.id},`)),
        ).then(() => {
          reply.end(`data: ${response(request.id)}\n\n`);
        });
      };
    }
    const streams = await Promise.all(calls.map(({ name, id }) => send(session, call(name, id))));
    const asked = await Promise.all(streams.map(async (stream) => idIn(await stream.next())));
    expect(new Set(asked).size).toBe(4);
    for (const [index, id] of asked.entries()) {
      const answer = `{"jsonrpc":"2.0","id":${id},"result":{"to":${index}}}`;
      expect((await session.post(answer)).status).toBe(202);
    }
    expect(await Promise.all(streams.map((stream) => stream.end()))).toEqual(calls.map(({ id }) => [response(id)]));
    for (const [index, { server, id }] of calls.entries()) {
      expect(responses(server)).toContain(`{"jsonrpc":"2.0","id":${id},"result":{"to":${index}}}`);
    }
    expect([one, two].map((server) => responses(server).length)).toEqual([2, 2]);
  });

  it('of calls, and tokens of their progress, stay what they are', async () => {
    const session = await open();
    const reported = (token: string): string =>
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":1.0}}`;
    one.answers['tools/call'] = (request, reply) => {
      const [, token = ''] = /"progressToken":("(?:[^"\\]|\\.)*"|-?\d+)/.exec(request.body.toString()) ?? [];
      reply.head(200, { 'content-type': 'text/event-stream' });
      reply.end(`data: ${reported(token)}\n\ndata: ${response(request.id)}\n\n`);
    };
    const streams = await Promise.all(
      ids.map((id) => send(session, call('one_report', id, `,"_meta":{"progressToken":${id}}`))),
    );
    const got = await Promise.all(streams.map((stream) => stream.end()));
    expect(got).toEqual(ids.map((id) => [reported(id), response(id)]));
  });

  it('of calls that a client cancels reach their server as they are', async () => {
    const session = await open();
    for (const id of ids) {
      const cancelled = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`;
      expect((await session.post(cancelled)).status).toBe(202);
      await until('both servers know', () =>
        [one, two].every((server) => server.of('notifications/cancelled').at(-1)?.body.toString() === cancelled),
      );
    }
  });

  it('of a request that its server cancels are those that the client knows', async () => {
    const session = await open();
    for (const id of ids) {
      const cancelled = (requestId: string): string =>
        `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${requestId},"reason":"late"}}`;
      two.answers['tools/call'] = (request, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.end(`data: ${asking(id)}\n\ndata: ${cancelled(id)}\n\ndata: ${response(request.id)}\n\n`);
      };
      const stream = await send(session, call('two_ask', '5'));
      const asked = idIn(await stream.next());
      expect(asked).not.toBe(id);
      expect(await stream.end()).toEqual([cancelled(asked), response('5')]);
    }
  });
});
