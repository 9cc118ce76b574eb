// Budgets of requests, which all workers share, and the times of single tools.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type GatewayOptions, useGateway } from './gateway.ts';
import { addFilterBefore, jwt, jwtAuthn } from './token-filter.ts';
import { until } from './until.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

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
