// What the gateway says of itself: for load balancers, and for its operator.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { send } from './clients/raw.ts';
import { callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const down = 'http://127.0.0.1:1/mcp';
const token = 'a-token-of-the-operator';

interface Status {
  readonly configuration: string;
  readonly servers: readonly { readonly name: string; readonly state: string; readonly lastFailure?: object }[];
  readonly limits: readonly { readonly name: string; readonly times: number; readonly at: number }[];
}

/**
 * A gateway with its status, of a server that is up and one that is down.
 * @param plugin further members of its configuration
 */
function useUpAndDown(plugin: object = {}) {
  let up: Scripted;
  beforeAll(async () => {
    up = await startScripted({ tools: ['t'] });
  });
  afterAll(() => up.stop());
  const gateway = useGateway(() => ({
    servers: [
      { name: 'up', url: up.url },
      { name: 'down', url: down },
    ],
    plugin: { status: { env: 'STATUS_TOKEN' }, ...plugin },
    env: { STATUS_TOKEN: token },
  }));
  return { gateway, up: (): Scripted => up };
}

describeGateway('the pages of the gateway itself', () => {
  const { gateway, up } = useUpAndDown({ root: 'closed', identity: { trustedHeader: 'x-user' } });
  const get = async (path: string, headers: Record<string, string> = {}): ReturnType<typeof send> =>
    send(gateway.current.url + path, { method: 'GET', headers });

  it('are there without a session, an identity or a virtual server, and ask no server', async () => {
    const health = await get('/-/health', { host: 'any.example' });
    expect(health).toMatchObject({ status: 200 });
    expect(health.body.toString()).toBe('{"status":"ok"}');
    expect((await send(`${gateway.current.url}/-/health`, { method: 'HEAD' })).status).toBe(200);
    const status = await get('/-/status', { authorization: `Bearer ${token}` });
    expect(JSON.parse(status.body.toString())).toEqual({
      gateway: 'sluice',
      version: expect.stringMatching(/^sluice\//) as string,
      configuration: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      servers: [
        { name: 'up', state: 'ok' },
        { name: 'down', state: 'ok' },
      ],
      limits: [],
    });
    expect(up().requests).toEqual([]);
  });

  it('are no secret to this machine alone, under its own names', async () => {
    expect((await get('/-/status')).status).toBe(200);
    expect((await get('/-/status', { host: 'rebound.example' })).status).toBe(403);
    expect((await get('/-/status', { origin: 'https://page.example' })).status).toBe(403);
  });
});

describeGateway('the status of a gateway', () => {
  const { gateway, up } = useUpAndDown({ limits: { requestBody: 2048, listBytes: 1024, batch: 2 } });
  const read = async (): Promise<Status> => {
    const answer = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
    return JSON.parse(answer.body.toString()) as Status;
  };

  it('has the same of every server in all workers, with what it failed at', async () => {
    const session = await openSession(gateway.current.url);
    await session.post(listMessage());
    const seen = new Set<string>();
    // A connection for each request, so that they come to different workers.
    for (let count = 0; count < 12; count++) {
      const { servers, configuration } = await read();
      seen.add(configuration);
      expect(servers[0]).toEqual({ name: 'up', state: 'ok' });
      expect(servers[1]).toMatchObject({
        name: 'down',
        lastFailure: { reason: 'upstream_unreachable', detail: expect.stringMatching(/./) as string },
      });
    }
    expect(seen.size, 'digests of one configuration').toBe(1);
  });

  it('counts the requests that met a limit, whatever the worker', async () => {
    const { url } = gateway.current;
    const session = await openSession(url, { revision: '2025-03-26' });
    const met = async (): Promise<[string, number][]> => (await read()).limits.map(({ name, times }) => [name, times]);
    expect(await met()).toEqual([]);
    for (let count = 0; count < 3; count++) await session.post(callMessage('"up_t"', JSON.stringify('x'.repeat(3000))));
    await session.post(`[${[1, 2, 3].map((id) => callMessage('"up_t"', '{}', String(id))).join()}]`);
    up().answers = {
      'tools/list': ({ id }, reply) => {
        reply.head(200, { 'content-type': 'application/json' });
        reply.end(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[],"_meta":{"x":"${'x'.repeat(1024)}"}}}`);
      },
    };
    await session.post(listMessage());
    // It is written behind the answer.
    await until('all are counted', async () => (await met()).reduce((sum, [, times]) => sum + times, 0) === 5);
    expect(await met()).toEqual([
      ['limits.requestBody', 3],
      ['limits.batch', 1],
      ['limits.listBytes', 1],
    ]);
    for (const { at } of (await read()).limits) expect(Math.abs(at - Date.now() / 1000)).toBeLessThan(3600);
  });
});

describeGateway('a gateway without status', () => {
  const gateway = useGateway(() => ({ servers: [{ name: 'down', url: down }] }));

  it('has health, and says how to get the other', async () => {
    expect((await send(`${gateway.current.url}/-/health`, { method: 'GET' })).status).toBe(200);
    const status = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
    expect([status.status, status.text]).toEqual([404, expect.stringContaining('status_not_configured')]);
  });
});
