// Servers that lose their sessions, as by a restart, while a client reads what one of its calls is answered with.
import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, expect } from 'vitest';
import { type EventStream, postForEvents } from './clients/event-stream.ts';
import { type Session, callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { proofs } from './gaps.ts';
import { useGateway } from './gateway.ts';
import type { Answer } from './upstreams/scripted.ts';
import { type Stateful, served, startStateful } from './upstreams/stateful.ts';

const gaps: readonly string[] = [];
const proves = proofs(gaps);

const progress = '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}';
const asking = '{"jsonrpc":"2.0","id":1,"method":"roots/list"}';

interface Begun {
  /** Of that event, as JSON. */
  readonly id: string;
  readonly session: Session;
  readonly stream: EventStream;
  readonly end: (how: 'end' | 'reset') => void;
}

describeGateway('a stream of a server that loses its sessions', () => {
  let losing: Stateful;
  let other: Stateful;
  beforeAll(async () => {
    [losing, other] = await Promise.all([startStateful('losing'), startStateful('other')]);
  });
  afterAll(() => Promise.all([losing.server.stop(), other.server.stop()]));
  const gateway = useGateway(() => ({
    servers: [losing, other].map(({ name, server }) => ({ name, url: server.url })),
  }));

  /** A call in the middle of its answer, of which this event has come. */
  async function begin(event: string): Promise<Begun> {
    const ending = new EventEmitter();
    const answer: Answer = async (_, reply) => {
      reply.head(200, { 'content-type': 'text/event-stream' });
      reply.write(`data: ${event}\n\n`);
      const [how] = (await once(ending, 'end')) as ['end' | 'reset'];
      reply[how]();
    };
    losing.serve(answer);
    const session = await openSession(gateway.current.url, { capabilities: { roots: {} } });
    const stream = await postForEvents(gateway.current.url, session.id, callMessage('"losing_echo"', '{}', '7'));
    const first = JSON.parse(await stream.next()) as { id?: string; method: string };
    expect(event).toContain(`"method":"${first.method}"`);
    losing.loseAll();
    losing.serve(served);
    return { id: JSON.stringify(first.id), session, stream, end: (how) => ending.emit('end', how) };
  }

  /** The session of the client goes on with both servers, in one new session with the one that lost its own. */
  async function expectAlive(session: Session): Promise<void> {
    const before = losing.latest();
    for (const name of ['losing_echo', 'other_echo']) {
      const answer = await session.post(callMessage(JSON.stringify(name)));
      expect({ status: answer.status, text: answer.text }).toEqual({
        status: 200,
        text: '{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}',
      });
    }
    expect(losing.latest()).not.toBe(before);
    expect([...losing.sessions]).toEqual([losing.latest()]);
  }

  proves('that breaks off breaks off, and the next call is served', async () => {
    const { session, stream, end } = await begin(progress);
    end('reset');
    await expect(stream.end()).rejects.toThrow();
    await expectAlive(session);
  });

  proves('that ends answers the call with an error under its id', async () => {
    const { session, stream, end } = await begin(progress);
    end('end');
    const [last = ''] = (await stream.end()).slice(-1);
    expect(JSON.parse(last)).toMatchObject({
      id: 7,
      error: { data: { reason: 'upstream_protocol', server: 'losing' } },
    });
    await expectAlive(session);
  });

  proves('that a client answers too late leaves the session of the client alone', async () => {
    const { id, session, stream, end } = await begin(asking);
    const answer = await session.post(`{"jsonrpc":"2.0","id":${id},"result":{"roots":[]}}`);
    expect(answer.status).not.toBe(404);
    end('reset');
    await expect(stream.end()).rejects.toThrow();
    const { text } = await session.post(callMessage('"other_echo"'));
    expect(text).toContain('"done"');
  });
});
