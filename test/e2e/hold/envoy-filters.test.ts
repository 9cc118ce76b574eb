// The examples of docs/envoy-filters.md, behind the module in a real Envoy.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { connectionManager } from '../adjust.ts';
import { message } from '../clients/answers.ts';
import { callMessage, listMessage, openSession } from '../clients/session.ts';
import { engine } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type Scripted, startScripted, status } from '../upstreams/scripted.ts';

const page = readFileSync(new URL('../../../docs/envoy-filters.md', import.meta.url), 'utf8');
const filters = [...page.matchAll(/```yaml\n([^]+?)\n```/g)].map(([, text = '']) => parse(text) as { name: string });

/** The embedded engine has none of these filters. */
describe.skipIf(engine?.name !== 'envoy')("Envoy's own filters behind the module", () => {
  let weather: Scripted;
  let authz: Scripted;
  beforeAll(async () => {
    weather = await startScripted({ tools: ['forecast', 'now', 'delete_all', 'secret', 'export'] });
    authz = await startScripted();
    authz.answers = {
      POST: (request, reply) => status(request.headers['x-mcp-toolname'] === 'secret' ? 403 : 200)(request, reply),
    };
  });
  afterAll(() => Promise.all([weather.stop(), authz.stop()]));
  const gateway = useGateway(() => ({
    servers: [{ name: 'weather', url: weather.url }],
    adjust: (bootstrap) => {
      const chain: unknown[] = connectionManager(bootstrap).http_filters;
      chain.splice(-1, 0, ...filters);
      const { hostname: address, port } = new URL(authz.url);
      const clusters: unknown[] = bootstrap.static_resources.clusters;
      clusters.push({
        name: 'authz',
        load_assignment: {
          cluster_name: 'authz',
          endpoints: [
            { lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: Number(port) } } } }] },
          ],
        },
      });
    },
  }));

  it('are those of the page', () => {
    expect(filters.map(({ name }) => name.split('.').pop())).toEqual([
      'local_ratelimit',
      'rbac',
      'ext_authz',
      'header_to_metadata',
      'rbac',
    ]);
  });

  it('see the tool of a call, and nothing of what the gateway answers itself', async () => {
    const session = await openSession(gateway.current.url);
    const call = (tool: string, headers = {}) =>
      session.post(callMessage(JSON.stringify(`weather_${tool}`)), { headers });
    const statuses = async (...tools: string[]): Promise<number[]> => {
      const all: number[] = [];
      for (const tool of tools) all.push((await call(tool)).status);
      return all;
    };
    const listed = message(await session.post(listMessage())).result as { tools: unknown[] };
    expect(listed.tools).toHaveLength(5);
    expect(authz.requests).toEqual([]);

    expect(await statuses('forecast', 'forecast', 'forecast', 'now', 'now', 'now')).toEqual([
      200, 200, 429, 200, 200, 200,
    ]);
    expect(await statuses('delete_all', 'secret', 'export')).toEqual([403, 403, 403]);
    expect(weather.of('tools/call')).toHaveLength(5);

    const [first] = authz.requests;
    expect(first).toMatchObject({
      path: '/decide/mcp',
      headers: { 'x-mcp-servername': 'weather', 'x-mcp-method': 'tools/call', 'x-mcp-toolname': 'forecast' },
    });
    // What a client says of itself is nothing to them.
    expect((await call('secret', { 'x-mcp-toolname': 'now' })).status).toBe(403);
  });

  it('refuse where the service that they ask is gone', async () => {
    const session = await openSession(gateway.current.url);
    await authz.stop();
    expect((await session.post(callMessage('"weather_now"'))).status).toBe(403);
    await authz.start();
  });
});
