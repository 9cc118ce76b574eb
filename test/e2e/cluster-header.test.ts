import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionManager, withoutEarlyMutation } from './adjust.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

describeGateway('a cluster that is not named like its server', () => {
  let own: Scripted;
  let other: Scripted;
  beforeAll(async () => {
    [own, other] = await Promise.all([startScripted({ tools: ['echo'] }), startScripted({ tools: ['echo'] })]);
  });
  afterAll(async () => {
    await Promise.all([own.stop(), other.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'own', url: own.url },
      { name: 'other', url: other.url },
    ],
    adjust: (bootstrap) => {
      withoutEarlyMutation(bootstrap);
      const cluster = bootstrap.static_resources.clusters.find(({ name }) => name === 'own');
      if (cluster === undefined) throw new Error('there is no cluster');
      cluster.name = cluster.load_assignment.cluster_name = 'own@1';
      const manager = connectionManager(bootstrap);
      for (const filter of manager.http_filters as { typed_config?: { config?: { configuration?: object } } }[]) {
        const { value } = (filter.typed_config?.config?.configuration ?? {}) as { value?: { servers?: object[] } };
        for (const server of value?.servers ?? []) {
          if ('name' in server && server.name === 'own') Object.assign(server, { cluster: 'own@1' });
        }
      }
      const { routes } = manager.route_config.virtual_hosts[0];
      const route = routes.find(({ name }) => name === 'own');
      if (route?.route === undefined) throw new Error('there is no route');
      const match = { prefix: '/', headers: [{ name: 'x-mcp-cluster', present_match: true }] };
      const members = Object.entries(route.route).filter(([member]) => member !== 'cluster');
      Object.assign(route, { match, route: { ...Object.fromEntries(members), cluster_header: 'x-mcp-cluster' } });
    },
  }));

  it.each(bothProtocols)('is named in a header that a route can take it from, over %s', async (http) => {
    own.forget();
    const session = await openSession(gateway.current.url, { http });
    const { status } = await session.post(callMessage('"own_echo"'));
    expect(status).toBe(200);
    expect(own.last('tools/call').headers).toMatchObject({ 'x-mcp-servername': 'own', 'x-mcp-cluster': 'own@1' });
  });

  it.each(bothProtocols)('is not for a client to choose, over %s', async (http) => {
    own.forget();
    other.forget();
    const session = await openSession(gateway.current.url, { http });
    await session.post(callMessage('"other_echo"'), { headers: { 'x-mcp-cluster': 'own@1' } });
    expect(own.of('tools/call')).toEqual([]);
    expect(other.last('tools/call').headers).not.toHaveProperty('x-mcp-cluster');
  });
});
