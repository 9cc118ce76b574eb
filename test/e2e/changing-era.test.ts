// A server that is upgraded to 2026-07-28, or rolled back, under traffic: no request notices.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type ChangingServer, startChangingServer } from './upstreams/changing.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';

describeGateway('a server that changes its era', () => {
  let old: CompleteServer;
  let modern: ModernServer;
  let other: ModernServer;
  let changing: ChangingServer;
  beforeAll(async () => {
    [old, modern, other] = await Promise.all([
      startCompleteServer('old'),
      startModernServer('modern'),
      startModernServer('other'),
    ]);
    changing = await startChangingServer(old.url);
  });
  afterAll(() => Promise.all([old.stop(), modern.stop(), other.stop(), changing.stop()]));

  // The other one keeps the endpoint in the era without sessions.
  const gateway = useGateway(() => ({
    servers: [
      { name: 'it', url: changing.url },
      { name: 'other', url: other.url },
    ],
  }));

  const eras = ['old', 'modern'] as const;
  const become = (era: 'old' | 'modern') => {
    changing.become(era === 'old' ? old.url : modern.url);
  };

  describe.each(['legacy', { pin: '2026-07-28' }] as const)('serves a client in mode %j', (mode) => {
    beforeEach(() => {
      become('old');
    });

    it.each(eras)('that calls first while it is %s', async (first) => {
      const client = await connectModern(gateway.current.url, mode);
      const said: unknown[] = [];
      const order = [first, first === 'old' ? 'modern' : 'old', first] as const;
      for (const era of order) {
        become(era);
        const { content } = await client.callTool({ name: 'it_test_same_name', arguments: {} });
        said.push((content as { text: string }[])[0]?.text);
      }
      expect(said).toEqual(order.map((era) => `a tool of ${era}`));
      await client.close();
    });

    it.each(eras)('that lists first while it is %s', async (first) => {
      const client = await connectModern(gateway.current.url, mode);
      for (const era of [first, first === 'old' ? 'modern' : 'old', first] as const) {
        become(era);
        const { tools } = await client.listTools();
        expect(tools.map(({ name }) => name)).toContain('it_test_same_name');
      }
      await client.close();
    });
  });

  it('gets refusals through that are about something else', async () => {
    become('modern');
    const client = await connectModern(gateway.current.url);
    await expect(client.callTool({ name: 'it_none', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });
});
