// Changes that servers of 2026-07-28 tell of on streams that listen (`subscriptions/listen`), between clients and servers of
// version 2 of the TypeScript SDK: the same in every host mode.
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { until } from './until.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';

const all = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true } as const;

interface Listener {
  readonly client: Client;
  /** What it was told, in order: the method, and the URI of a resource. */
  readonly heard: readonly string[];
}

async function connectListener(url: string): Promise<Listener> {
  const client = await connectModern(url);
  const heard: string[] = [];
  for (const noun of ['tools', 'prompts', 'resources'] as const)
    client.setNotificationHandler(`notifications/${noun}/list_changed`, () => void heard.push(noun));
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
  return { client, heard };
}

export function proveListening(): void {
  describeGateway('streams that listen for changes', () => {
    let one: ModernServer;
    let two: ModernServer;
    beforeAll(async () => {
      [one, two] = await Promise.all([startModernServer('one'), startModernServer('two')]);
    });
    afterAll(() => Promise.all([one.stop(), two.stop()]));

    /** What comes last, so that all before it has come. */
    const tellAll = (server: ModernServer): void => {
      server.notify.toolsChanged();
      server.notify.promptsChanged();
      server.notify.resourceUpdated('test://secret');
      server.notify.resourceUpdated('test://other');
      server.notify.resourceUpdated('test://static-text');
      server.notify.resourcesChanged();
    };

    const alone = useGateway(() => ({
      servers: [{ name: one.name, url: one.url }],
      plugin: {
        virtualServers: [{ name: 'n/public', tools: ['*'], resources: ['test://static*', 'test://watched*'] }],
      },
    }));

    it('pass from the only server, each client its own', async () => {
      const [whole, part] = await Promise.all([
        connectListener(alone.current.url),
        connectListener(`${alone.current.url}/n/public`),
      ]);
      const uris = ['test://secret', 'test://static-text'];
      const first = await whole.client.listen({ ...all, resourceSubscriptions: uris });
      const second = await part.client.listen({ promptsListChanged: true, resourceSubscriptions: uris });
      expect(first.honoredFilter).toEqual({ ...all, resourceSubscriptions: uris });
      // What may not be read is not told of.
      expect(second.honoredFilter).toMatchObject({ resourceSubscriptions: ['test://static-text'] });
      tellAll(one);
      await until('all was heard', () => whole.heard.includes('resources'));
      expect(whole.heard).toEqual(['tools', 'prompts', 'test://secret', 'test://static-text', 'resources']);
      await until('what was asked for was heard', () => part.heard.includes('test://static-text'));
      expect(part.heard).toEqual(['prompts', 'test://static-text']);

      // Calls go on beside the stream, and one stream ends without the other.
      await part.client.readResource({ uri: 'test://static-text' });
      await first.close();
      expect(await first.closed).toBe('local');
      await until('the server knows that one has left', () => one.listeners() === 1);
      one.notify.promptsChanged();
      await until('the other goes on', () => part.heard.length === 3);
      await part.client.close();
      await until('the server knows that both have left', () => one.listeners() === 0);
      await whole.client.close();
    });

    it('break off where their server dies, and begin again', async () => {
      const { client } = await connectListener(alone.current.url);
      const cut = await client.listen(all);
      await until('the server has the stream', () => one.listeners() === 1);
      one.cut();
      expect(await cut.closed).toBe('remote');
      const again = await client.listen(all);
      expect(again.honoredFilter).toEqual(all);
      await again.close();
      await client.close();
      await until('the server knows that it has left', () => one.listeners() === 0);
    });

    const both = useGateway(() => ({
      servers: [one, two].map(({ name, url }) => ({ name, url })),
      plugin: {
        virtualServers: [{ name: 'n/one', tools: ['one_*'], prompts: ['one_*'], resources: ['test://one/*'] }],
      },
    }));

    it('pass where a virtual server leaves one of several, with the URIs that its clients know', async () => {
      const { client, heard } = await connectListener(`${both.current.url}/n/one`);
      const uris = ['test://one/static-text', 'test://two/static-text'];
      const stream = await client.listen({ ...all, resourceSubscriptions: uris });
      expect(stream.honoredFilter).toEqual({ ...all, resourceSubscriptions: ['test://one/static-text'] });
      expect([one.listeners(), two.listeners()]).toEqual([1, 0]);
      tellAll(two);
      tellAll(one);
      await until('all was heard', () => heard.includes('resources'));
      expect(heard).toEqual(['tools', 'prompts', 'test://one/static-text', 'resources']);
      await stream.close();
      await client.close();
      await until('the server knows that it has left', () => one.listeners() === 0);
    });

    it('end at once where several servers are seen, and no client opens one by itself', async () => {
      const { client } = await connectListener(both.current.url);
      expect(JSON.stringify(client.getServerCapabilities())).not.toMatch(/"listChanged":true|"subscribe":true/);
      const stream = await client.listen({ ...all, resourceSubscriptions: ['test://one/static-text'] });
      expect(stream.honoredFilter).toEqual({});
      expect(await stream.closed).toBe('graceful');
      expect([one.listeners(), two.listeners()]).toEqual([0, 0]);
      await client.close();
    });

    // The last one: the server serves nobody afterwards.
    it('end as their server ends them', async () => {
      const { client } = await connectListener(`${both.current.url}/n/one`);
      const stream = await client.listen(all);
      await until('the server has the stream', () => one.listeners() === 1);
      await one.close();
      expect(await stream.closed).toBe('graceful');
      await client.close();
    });
  });
}
