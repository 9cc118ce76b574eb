// What the gateway says of itself: for load balancers, and for its operator.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { send } from './clients/raw.ts';
import { listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const down = 'http://127.0.0.1:1/mcp';
const token = 'a-token-of-the-operator';

interface Status {
  readonly configuration: string;
  readonly servers: readonly { readonly name: string; readonly state: string; readonly lastFailure?: object }[];
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
  const { gateway } = useUpAndDown();

  it('has the same of every server in all workers, with what it failed at', async () => {
    const session = await openSession(gateway.current.url);
    await session.post(listMessage());
    const seen = new Set<string>();
    // A connection for each request, so that they come to different workers.
    for (let count = 0; count < 12; count++) {
      const answer = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
      const { servers, configuration } = JSON.parse(answer.body.toString()) as Status;
      seen.add(configuration);
      expect(servers[0]).toEqual({ name: 'up', state: 'ok' });
      expect(servers[1]).toMatchObject({
        name: 'down',
        lastFailure: { reason: 'upstream_unreachable', detail: expect.stringMatching(/./) as string },
      });
    }
    expect(seen.size, 'digests of one configuration').toBe(1);
  });
});

describeGateway('a gateway without status', () => {
  const gateway = useGateway(() => ({ servers: [{ name: 'down', url: down }] }));

  it('has health alone', async () => {
    expect((await send(`${gateway.current.url}/-/health`, { method: 'GET' })).status).toBe(200);
    const status = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
    expect(status.body.toString()).toContain('unknown_virtual_server');
  });
});
