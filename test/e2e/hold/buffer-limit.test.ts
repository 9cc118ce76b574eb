// What a callout's answer has made of a body does not fit into what Envoy holds: Envoy answers 413 by itself, at once, and
// ends the request within the module's own call. The module has to outlive that, and the client to be told.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionManager } from '../adjust.ts';
import { refusal } from '../clients/answers.ts';
import type { RawAnswer } from '../clients/raw.ts';
import { callMessage, openSession } from '../clients/session.ts';
import { framings, upload } from '../clients/upload.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { addFilterBefore, jwt, jwtAuthn, publicKeys } from '../token-filter.ts';
import { type RestService, startRestService } from '../upstreams/rest.ts';
import { type TokenEndpoint, startTokenEndpoint } from '../upstreams/token-endpoint.ts';

/** Far below twice `limits.heldBody`, which `sluice check` calls an error. */
const limit = 131_072;

describeGateway('a body that outgrows what Envoy holds once its token has come', () => {
  let endpoint: TokenEndpoint;
  let shop: RestService;
  beforeAll(async () => {
    endpoint = await startTokenEndpoint(publicKeys(), 'gateway:secret');
    shop = await startRestService();
  });
  afterAll(() => Promise.all([endpoint.stop(), shop.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'shop',
        url: shop.url,
        credentials: {
          type: 'exchange',
          tokenEndpoint: endpoint.url,
          cluster: 'id',
          client: { id: 'gateway', env: 'SECRET' },
          audience: 'shop',
        },
        rest: {
          tools: [
            {
              name: 'add',
              args: [{ name: 'text', type: 'string' }],
              requestTemplate: { url: '/items', method: 'POST', body: '"{{.args.text}} {{.args.text}}"' },
            },
          ],
        },
      },
    ],
    plugin: { identity: { jwt: 'verified' } },
    env: { SECRET: 'secret' },
    workers: 1,
    adjust: (bootstrap) => {
      addFilterBefore(bootstrap, jwtAuthn());
      Object.assign(bootstrap.static_resources.listeners[0], { per_connection_buffer_limit_bytes: limit });
      Object.assign(connectionManager(bootstrap).http2_protocol_options, {
        initial_stream_window_size: limit,
        initial_connection_window_size: limit,
      });
    },
  }));

  let tokens = 0;
  /** Another token each time: what the last one was exchanged for is of no use. */
  const caller = (): Record<string, string> => ({
    authorization: `Bearer ${jwt({ iss: 'https://id.example', sub: 'ada', jti: String(++tokens) })}`,
  });

  it.each(framings)('is refused over %s, and the worker goes on', async (framing) => {
    const { url } = gateway.current;
    const { id } = await openSession(url, { headers: caller() });
    for (let round = 0; round < 3; round++) {
      const headers = { ...caller(), 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
      const call = async (size: number): Promise<RawAnswer> => {
        const body = Buffer.from(callMessage('"shop_add"', JSON.stringify({ text: 'x'.repeat(size) }), '"a"'));
        const sent = upload(url, { framing, headers, size: body.length });
        // In parts, so that the module has a copy of its own where no length is told.
        await sent.write(body.subarray(0, size / 2));
        await sleep(20);
        await sent.write(body.subarray(size / 2));
        sent.end();
        return sent.answer;
      };
      const asked = endpoint.asked.length;
      const row = { status: 200, id: 'a', code: -32600, reason: 'body_too_large', server: 'shop' };
      expect(refusal(await call(100_000))).toEqual(row);
      expect(endpoint.asked.length).toBe(asked + 1);
      expect(shop.calls.filter(({ body }) => body.length > 100)).toEqual([]);
      expect((await call(10)).text).toContain('xxxxxxxxxx xxxxxxxxxx');
    }
  });
});
