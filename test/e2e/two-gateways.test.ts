// Two gateways meet: one behind the other, in a circle, and side by side in one Envoy.
import { type Server, createServer, request as requestOf } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bootstrap } from '../../envoy/render/bootstrap.ts';
import { refusal, toolNames } from './clients/answers.ts';
import { callMessage, listMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, expectSound, startGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Answer, type Scripted, result, startScripted } from './upstreams/scripted.ts';

describeGateway('two gateways', () => {
  describe.each([
    ['of the default name', {}, {}],
    ['of names', { name: 'inner' }, { name: 'outer' }],
    ['of which one has a name', {}, { name: 'outer' }],
  ])('in a row, %s', (_, ofInner, ofOuter) => {
    let server: Scripted;
    let inner: Gateway;
    let outer: Gateway;
    beforeAll(async () => {
      server = await startScripted({ tools: ['echo'], sessionId: 'session-of-server' });
      inner = await startGateway({ servers: [{ name: 'tools', url: server.url }], plugin: ofInner });
      outer = await startGateway({ servers: [{ name: 'inner', url: inner.url }], plugin: ofOuter });
    });
    afterAll(async () => {
      for (const gateway of [outer, inner]) {
        await expectSound(gateway);
        await gateway.stop();
      }
      await server.stop();
    });

    it('are no loop', async () => {
      const session = await openSession(outer.url);
      expect(toolNames(await session.post(listMessage()))).toEqual(['inner_tools_echo']);
      const answer = await session.post(callMessage('"inner_tools_echo"'));
      expect(answer.text).toContain('"text":"done"');
      for (const { headers } of server.requests) expect(headers['via']).toMatch(/^1\.1 sluice-\S+, 1\.1 sluice-\S+$/);
      expect((await session.end()).status).toBe(200);
    });

    it('are told apart by their metrics where they have names', async () => {
      const named = 'name' in ofOuter ? `gateway="${ofOuter.name}"` : undefined;
      await until('its requests are counted', async () => {
        const requests = (await outer.prometheus())
          .split('\n')
          .filter((line) => line.includes('sluice_requests_total{'));
        return requests.length > 0 && requests.every((line) => line.includes(named ?? 'server='));
      });
      if (named === undefined) expect(await outer.prometheus()).not.toContain('gateway="');
    });
  });

  describe('in a circle', () => {
    let way: Server;
    let target = '';
    const came: { via: string; status: number; body: string }[] = [];
    let inner: Gateway;
    let outer: Gateway;
    beforeAll(async () => {
      // Leads back to a gateway that is started after the one in front of it.
      way = createServer((request, response) => {
        const { method, headers } = request;
        const onward = requestOf(target, { method, headers }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('end', () => {
            const body = Buffer.concat(parts);
            came.push({ via: String(headers.via), status: answer.statusCode ?? 0, body: body.toString() });
            response.writeHead(answer.statusCode ?? 502, answer.headers).end(body);
          });
        });
        onward.on('error', () => response.destroy());
        request.pipe(onward);
      });
      way.listen(0, '127.0.0.1');
      await once(way, 'listening');
      const url = `http://127.0.0.1:${(way.address() as AddressInfo).port}/mcp`;
      inner = await startGateway({ servers: [{ name: 'back', url }] });
      outer = await startGateway({ servers: [{ name: 'inner', url: inner.url }] });
      target = outer.url;
    });
    afterAll(async () => {
      for (const gateway of [outer, inner]) await gateway.stop();
      way.close();
      way.closeAllConnections();
    });

    it('are found out by the first that sees its own entry', async () => {
      await post(
        outer.url,
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}',
      );
      expect(came.length).toBeGreaterThan(0);
      expect(came.length).toBeLessThan(4);
      for (const { via, status, body } of came) {
        expect(via).toMatch(/^1\.1 sluice-\S+, 1\.1 sluice-\S+$/);
        expect(status).toBe(508);
        expect(body).toContain('"reason":"loop"');
      }
    });
  });

  describe.each([
    ['without keys of their own', {}],
    ['with the same keys', { sessions: { keys: [{ id: 1, env: 'SESSION_KEY' }] } }],
  ])('in one Envoy, %s', (_, sessions) => {
    let server: Scripted;
    /** Whose a session with the server is. */
    const opened = new Map<string, string>();
    const credentialOf = (headers: Scripted['requests'][number]['headers']): string => String(headers['x-key']);
    beforeAll(async () => {
      server = await startScripted();
      const open: Answer = (request, reply) => {
        const id = `session-${opened.size}`;
        opened.set(id, credentialOf(request.headers));
        reply.head(200, { 'content-type': 'application/json', 'mcp-session-id': id });
        reply.end(
          `{"jsonrpc":"2.0","id":${request.id},"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}`,
        );
      };
      const list: Answer = (request, reply) => {
        const tool = `of-${credentialOf(request.headers)}`;
        return result(`{"tools":[{"name":"${tool}","inputSchema":{"type":"object"}}]}`)(request, reply);
      };
      server.answers = { initialize: open, 'tools/list': list };
    });
    afterAll(() => server.stop());

    const serverWith = (env: string) => ({
      name: 'one',
      credentials: { type: 'header', header: 'x-key', env },
      listCache: { ttl: '1h', scope: 'shared' },
    });
    /** Adds a listener for each of these, with a gateway of its own in the same VM. */
    const beside =
      (others: Record<string, Record<string, unknown>>) =>
      ({ static_resources: { listeners } }: Bootstrap): void => {
        const [shipped] = listeners as unknown as [Shipped];
        const all = listeners as unknown as Shipped[];
        for (const [name, members] of Object.entries(others)) {
          const listener = structuredClone(shipped);
          listener.name = name;
          for (const { typed_config } of listener.filter_chains[0].filters[0].typed_config.http_filters) {
            const value = typed_config.config?.configuration.value;
            if (value?.['servers'] !== undefined) Object.assign(value, members);
          }
          all.push(listener);
        }
        for (const { filter_chains } of all) {
          for (const { typed_config } of filter_chains[0].filters[0].typed_config.http_filters) {
            if (typed_config.config === undefined) continue;
            typed_config.config.vm_config.environment_variables.host_env_keys = ['KEY_A', 'KEY_B', 'SESSION_KEY'];
          }
        }
      };
    let gateway: Gateway;
    beforeAll(async () => {
      gateway = await startGateway({
        servers: [{ ...serverWith('KEY_A'), url: server.url }],
        plugin: sessions,
        env: { KEY_A: 'a', KEY_B: 'b', SESSION_KEY: Buffer.alloc(32, 7).toString('base64url') },
        adjust: beside({
          other: { servers: [{ ...serverWith('KEY_B'), cluster: 'one', authority: new URL(server.url).host }] },
          named: { name: 'named' },
          replica: {},
        }),
      });
    });
    // Envoy counts filters that share a module against the one that fetches it, so it is not asked what it counted.
    afterAll(() => gateway.stop());
    const at = (name: string): string => `http://${gateway.listener(name)}/mcp`;

    it('share neither lists nor sessions with a server across its credentials', async () => {
      const a = await openSession(gateway.url);
      const b = await openSession(at('other'));
      for (let i = 0; i < 8; i++) {
        expect(toolNames(await a.post(listMessage()))).toEqual(['one_of-a']);
        expect(toolNames(await b.post(listMessage()))).toEqual(['one_of-b']);
        // The same client with the same session at the other one: it is of the same name, and has the same keys.
        const across = resumeSession(at('other'), a.id);
        expect(toolNames(await across.post(listMessage()))).toEqual(['one_of-b']);
        await across.post(callMessage('"one_of-b"'));
        await a.post(callMessage('"one_of-a"'));
      }
      expect(server.of('tools/call')).toHaveLength(16);
      for (const { headers } of server.requests) {
        const session = headers['mcp-session-id'];
        if (session !== undefined) expect(opened.get(String(session))).toBe(credentialOf(headers));
      }
    });

    it('share sessions where they are replicas of one, and none where their names differ', async () => {
      const session = await openSession(gateway.url);
      expect(toolNames(await resumeSession(at('replica'), session.id).post(listMessage()))).toEqual(['one_of-a']);
      const foreign = await resumeSession(at('named'), session.id).post(listMessage('5'));
      expect(refusal(foreign)).toMatchObject({ status: 404, reason: 'session_unknown' });
    });
  });
});

interface Shipped {
  name: string;
  filter_chains: [{ filters: [{ typed_config: { http_filters: Filter[] } }] }];
}

interface Filter {
  typed_config: {
    config?: {
      configuration: { value: Record<string, unknown> };
      vm_config: { environment_variables: { host_env_keys: string[] } };
    };
  };
}
