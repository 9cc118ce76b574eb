// Budgets of requests, which all workers share, and the times of single tools.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import {
  callMessage,
  initializeMessage,
  listMessage,
  mcpHeaders,
  openSession,
  post,
  type Session,
} from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type GatewayOptions, useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn } from './token-filter.ts';
import { until } from './until.ts';
import { result, type Scripted, startScripted } from './upstreams/scripted.ts';

describeGateway('budgets of requests', () => {
  let one: Scripted;
  let two: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['get', 'put'] });
    two = await startScripted({ tools: ['get'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const options = (quotas: object[], more: object = {}): GatewayOptions => ({
    servers: [
      { name: 'one', url: one.url, callTimeout: '1h', tools: { timeouts: { put: '300ms' } } },
      { name: 'two', url: two.url },
    ],
    plugin: { quotas, ...more },
  });
  const perTool = useGateway(() => options([{ per: ['tool'], requests: 3, interval: '24h' }]));
  const perServer = useGateway(() => options([{ per: ['server'], requests: 2, interval: '24h' }]));
  const perAddress = useGateway(() => options([{ per: ['subject'], requests: 3, interval: '24h' }]));
  const perSubject = useGateway(() => ({
    ...options([{ per: ['subject', 'tool'], requests: 1, interval: '24h' }], {
      identity: { jwt: 'verified' },
      audit: {},
    }),
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
    },
  }));
  const soonBack = useGateway(() => options([{ requests: 2, interval: '2s' }]));

  const get = (server: string): string => callMessage(JSON.stringify(`${server}_get`));
  const wasServed = (answer: RawAnswer): boolean => {
    const { result, error } = message(answer);
    return error === undefined && result?.['isError'] !== true;
  };
  const served = async (answers: Promise<RawAnswer>[]): Promise<number> =>
    (await Promise.all(answers)).filter(wasServed).length;

  it('let no more calls of a tool through than they have, whatever the worker', async () => {
    const session = await openSession(perTool.current.url);
    const before = one.of('tools/call').length;
    expect(await served(Array.from({ length: 20 }, () => session.post(get('one'))))).toBe(3);
    expect(one.of('tools/call').length - before).toBe(3);
    expect(await served(Array.from({ length: 5 }, () => session.post(get('two'))))).toBe(3);
    expect(await served([session.post(callMessage('"one_put"'))])).toBe(1);
    expect(await served(Array.from({ length: 5 }, () => session.post(listMessage())))).toBe(5);
  });

  it('say so as a result that the model reads, and when to come again', async () => {
    const session = await openSession(perTool.current.url);
    await Promise.all(Array.from({ length: 3 }, () => session.post(get('one'))));
    const answer = await session.post(get('one'));
    expect(message(answer)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        content: [
          {
            type: 'text',
            text: expect.stringContaining('that of all callers together, server one, tool one_get.') as string,
          },
        ],
        isError: true,
      },
    });
    expect(answer.status).toBe(200);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(86_400 / 3);
  });

  it('are one for each server, and for each message of a batch', async () => {
    const session = await openSession(perServer.current.url, { revision: '2025-03-26' });
    const batch = await session.post(`[${['1', '2', '3'].map((id) => callMessage('"one_get"', '{}', id)).join(',')}]`);
    const answers = JSON.parse(batch.text) as { result: { isError?: boolean } }[];
    expect(answers.filter(({ result }) => result.isError === true)).toHaveLength(1);
    expect(await served([session.post(callMessage('"one_put"'))])).toBe(0);
    expect(await served([session.post(get('two'))])).toBe(1);
  });

  it('count initialize by the address of who is not known', async () => {
    const { url } = perAddress.current;
    const session = await openSession(url);
    await openSession(url);
    expect(wasServed(await session.post(get('one')))).toBe(true);
    expect(wasServed(await session.post(get('two')))).toBe(false);
    const refused = await post(url, initializeMessage());
    expect(refusal(refused)).toEqual({ status: 200, id: 0, code: -31009, reason: 'quota_exceeded' });
  });

  it('are one for each subject', async () => {
    const { url } = perSubject.current;
    const call = async (sub: string): Promise<boolean> => {
      const headers = { authorization: `Bearer ${jwt({ iss: 'https://id.example.com', sub })}` };
      const opened = await post(url, initializeMessage(), { headers });
      const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      return wasServed(await post(url, get('one'), { headers: session }));
    };
    expect([await call('ada'), await call('ada'), await call('eve'), await call('eve')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    await until('it is recorded', () => perSubject.current.log().includes('"by":"quota","outcome":"quota_exceeded"'));
  });

  it('come back with time', async () => {
    const { url } = soonBack.current;
    await until('a session was opened', async () => (await post(url, initializeMessage())).status === 200);
    const open = async (): Promise<boolean> => wasServed(await post(url, initializeMessage()));
    await until('it is used up', async () => !(await open()));
    await until('it is back', open);
  });

  it('leave each tool its own time', async () => {
    const session = await openSession(perAddressFree.current.url);
    one.answers = { 'tools/call': () => new Promise(() => undefined) };
    const answer = await session.post(callMessage('"one_put"'));
    one.answers = {};
    expect(refusal(answer)).toMatchObject({ reason: 'upstream_timeout', server: 'one' });
  });
  const perAddressFree = useGateway(() => options([]));
});

describeGateway('calls that are under way at once', () => {
  let one: Scripted;
  let two: Scripted;
  let finish: (() => void)[];
  beforeAll(async () => {
    one = await startScripted({ tools: ['get', 'put'] });
    two = await startScripted({ tools: ['get'] });
  });
  beforeEach(() => {
    finish = [];
    // Answers when it is told to.
    one.answers['tools/call'] = async (request, reply) => {
      await new Promise<void>((done) => finish.push(done));
      await result('{"content":[]}')(request, reply);
    };
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const options = (quota: object): GatewayOptions => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: { quotas: [quota] },
  });
  const perServer = useGateway(() => options({ per: ['server'], concurrent: 2 }));
  const perTool = useGateway(() => options({ per: ['subject', 'tool'], concurrent: 1, lease: '3s' }));
  const reasonOf = (answer: RawAnswer): string => {
    const { result: given, error } = message(answer);
    if (error !== undefined) return String(error.data?.['reason']);
    return given?.['isError'] === true ? JSON.stringify(given['content']) : 'ok';
  };
  const get = (server: string, tool = 'get'): string => callMessage(JSON.stringify(`${server}_${tool}`));
  const arrived = (count: number): Promise<void> =>
    until(`${count} calls at the server`, () => finish.length === count);
  /** Whether one call more is taken up by its server; else why not. */
  async function tryOne(session: Session): Promise<string> {
    const before = finish.length;
    let outcome: string | undefined;
    running.push(
      session.post(get('one')).then((answer) => {
        outcome = reasonOf(answer);
      }),
    );
    await until('a call that runs, or is refused', () => outcome !== undefined || finish.length > before);
    return outcome ?? 'runs';
  }
  let running: Promise<unknown>[];
  beforeEach(() => {
    running = [];
  });
  async function finishAll(): Promise<void> {
    for (const done of finish) done();
    await Promise.all(running);
  }

  it('are as many as there may be, whatever the worker, and each gives its place back at its end', async () => {
    const session = await openSession(perServer.current.url);
    running.push(session.post(get('one')), session.post(get('one', 'put')));
    await arrived(2);
    for (let count = 0; count < 4; count++) {
      const refused = await session.post(get('one'));
      expect(reasonOf(refused)).toContain('As many calls are under way as there may be at once');
      expect(refused.headers['retry-after']).toBe('1');
    }
    expect(reasonOf(await session.post(get('two')))).toBe('ok');
    expect((await session.post(listMessage())).status).toBe(200);
    finish[0]?.();
    await until('a place', async () => (await tryOne(session)) === 'runs');
    await finishAll();
  });

  it('count no longer once their client has left, or their lease has ended', async () => {
    const session = await openSession(perTool.current.url);
    const headers = { ...mcpHeaders, 'mcp-session-id': session.id };
    const leaving = new AbortController();
    const left = fetch(perTool.current.url, { method: 'POST', headers, body: get('one'), signal: leaving.signal });
    const isGone = left.catch(() => undefined);
    await arrived(1);
    leaving.abort();
    await isGone;
    await until('the place of a client that has left', async () => (await tryOne(session)) === 'runs');
    expect(await tryOne(session)).toContain('As many calls');
    // It runs on, and its lease does not.
    await until('the end of a lease', async () => (await tryOne(session)) === 'runs');
    await finishAll();
  });
});
