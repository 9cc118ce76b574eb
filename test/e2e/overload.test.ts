// More held at once than may be: who is refused, and who is not.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import { type Session, callMessage, listMessage, openSession, post } from './clients/session.ts';
import { type Upload, framings, upload } from './clients/upload.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, result, startScripted } from './upstreams/scripted.ts';

const call = callMessage('"server_echo"', JSON.stringify({ text: 'x'.repeat(60_000) }));
const half = call.length >> 1;
const overloaded = { status: 200, code: -31006, reason: 'overloaded' };

describeGateway('a gateway that holds as much as it may', () => {
  let server: Scripted;
  let other: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
    other = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => Promise.all([server.stop(), other.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'server', url: server.url },
      { name: 'other', url: other.url },
    ],
    plugin: { limits: { bufferedBytes: '1Mi', handshakeTimeout: '30s', listTimeout: '30s' } },
  }));

  describe.each(framings)('over %s', (framing) => {
    it('refuses some of many, serves small calls still, and all once they have gone', async () => {
      const session = await openSession(gateway.current.url);
      server.forget();
      const clients = Array.from({ length: 200 }, () => new Client(gateway.current.url, session, framing));
      try {
        await Promise.all(clients.map((client) => client.upload.write(Buffer.from(call.slice(0, half)))));
        await settled(gateway.current, clients);
        const refused = clients.flatMap(({ answer }) => answer ?? []);
        // Each worker has room for 34 of them; how they are spread is the kernel's.
        expect(refused.length).toBeGreaterThanOrEqual(200 - 2 * 34);
        expect(refused.length).toBeLessThan(200);
        for (const answer of refused) {
          expect(refusal(answer)).toMatchObject(overloaded);
          expect(message(answer).error?.message).toContain('limits.bufferedBytes');
          expect(answer.headers['retry-after']).toBe('1');
        }
        expect(server.arrivals).toEqual([]);
        for (let i = 0; i < 12; i++) expect((await session.post(callMessage('"server_echo"'))).status).toBe(200);

        const [patient, ...others] = clients.filter(({ answer }) => answer === undefined);
        for (const client of others) client.upload.leave();
        await until('only one request is held', async () => (await active(gateway.current)) === 1);
        patient?.finish();
        expect((await patient?.upload.answer)?.status, 'who was let in is served').toBe(200);
      } finally {
        for (const client of clients) client.upload.leave();
      }
      await until('no request is held', async () => (await active(gateway.current)) === 0);

      // Twice as much as may be held, one after the other, then as much as one worker may hold at once.
      for (let i = 0; i < 35; i++) expect((await session.post(call)).status).toBe(200);
      const crowd = await Promise.all(Array.from({ length: 17 }, () => session.post(call)));
      expect(crowd.map(({ status }) => status)).toEqual(Array(17).fill(200));
    });
  });

  it('refuses a list whose parts are larger together, and serves the others', async () => {
    const session = await openSession(gateway.current.url);
    const large = result(`{"tools":[${tool('echo')},${tool('large', 700_000)}]}`);
    server.answers = { 'tools/list': large };
    expect(toolNames(await session.post(listMessage()))).toEqual(['server_echo', 'server_large', 'other_echo']);
    other.answers = { 'tools/list': large };
    for (let i = 0; i < 6; i++) {
      const answer = await session.post(listMessage('"l"'));
      expect(refusal(answer)).toEqual({ ...overloaded, id: 'l' });
      expect(answer.headers['retry-after']).toBe('1');
      expect((await session.post(callMessage('"server_echo"'))).status).toBe(200);
    }
    other.answers = {};
    const lists = await Promise.all(Array.from({ length: 6 }, () => session.post(listMessage())));
    for (const { status } of lists) expect(status).toBe(200);
    for (let i = 0; i < 6; i++) expect((await session.post(listMessage())).status).toBe(200);
    server.answers = {};
  });
});

describeGateway('what a client says of itself', () => {
  const servers: Scripted[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 3; i++) servers.push(await startScripted({ tools: ['echo'] }));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: servers.map(({ url }, i) => ({ name: `s${i}`, url })),
    plugin: { limits: { bufferedBytes: '1Mi' } },
  }));
  const initialize = (size: number): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 'i',
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x'.repeat(size - 11) } },
    });
  const sent = (): number => servers.reduce((sum, server) => sum + server.requests.length, 0);
  const dozen = (size: number): Promise<RawAnswer[]> =>
    Promise.all(Array.from({ length: 12 }, () => post(gateway.current.url, initialize(size))));

  it('is copied to every server up to a limit, and a worker stays within its memory', async () => {
    const { url } = gateway.current;
    await openSession(url);
    const before = gateway.current.residentMemory();
    for (const server of servers) server.forget();
    // One after the other: a body of that size has room for itself alone.
    for (let i = 0; i < 24; i++) {
      const answer = await post(url, initialize(1_000_000));
      expect(refusal(answer)).toEqual({ status: 200, id: 'i', code: -32600, reason: 'body_too_large' });
      expect(message(answer).error?.message).toContain('limits.clientInfo');
    }
    expect(sent(), 'no server hears of it').toBe(0);
    let served = 0;
    for (let round = 0; round < 5; round++) {
      for (const answer of await dozen(60_000)) {
        if (answer.status === 200) served++;
        else expect(refusal(answer)).toMatchObject(overloaded);
      }
    }
    expect(served).toBeGreaterThan(0);
    expect((gateway.current.residentMemory() ?? 0) - (before ?? 0), 'MiB more than before').toBeLessThan(100);

    const session = await openSession(url);
    expect(toolNames(await session.post(listMessage()))).toEqual(['s0_echo', 's1_echo', 's2_echo']);
    expect((await session.post(callMessage('"s1_echo"'))).status).toBe(200);
  });
});

/** One that sends the first half of a call, and waits. */
class Client {
  readonly upload: Upload;
  answer: RawAnswer | undefined;

  constructor(url: string, session: Session, framing: (typeof framings)[number]) {
    const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
    this.upload = upload(url, { framing, headers, size: call.length });
    this.upload.answer.then(
      (answer) => (this.answer = answer),
      () => undefined,
    );
  }

  finish(): void {
    void this.upload.write(Buffer.from(call.slice(half)));
    this.upload.end();
  }
}

const active = async (gateway: Gateway): Promise<number> =>
  (await gateway.stats()).get('http.mcp.downstream_rq_active') ?? NaN;

/** Every client has its answer or is held, and nothing changes any more. */
async function settled(gateway: Gateway, clients: readonly Client[]): Promise<void> {
  let before = -1;
  let steady = 0;
  await until('every client is refused or held', async () => {
    await sleep(40);
    const answered = clients.filter(({ answer }) => answer !== undefined).length;
    const all = answered + (await active(gateway)) === clients.length;
    steady = all && answered === before ? steady + 1 : 0;
    before = answered;
    return steady >= 5;
  });
}

function tool(name: string, size = 0): string {
  return JSON.stringify({ name, description: 'x'.repeat(size), inputSchema: { type: 'object' } });
}
