// A filter before the module that holds a request until it has seen the beginning of its body: what it lets pass then is in
// Envoy's own buffer, and nothing of it may come to the server twice.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addClusters, connectionManager } from './adjust.ts';
import { message } from './clients/answers.ts';
import { callMessage, lateNameMessage, openSession } from './clients/session.ts';
import { framings, upload } from './clients/upload.ts';
import { engine } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, startScripted, status } from './upstreams/scripted.ts';

/** Asks a service with the first bytes of the body, and holds what has come until the service has answered. */
const authz = {
  name: 'authz',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
    http_service: { server_uri: { uri: 'http://authz', cluster: 'authz', timeout: '5s' }, path_prefix: '/decide' },
    with_request_body: { max_request_bytes: 20, allow_partial_message: true },
  },
};

// The embedded engine has no such filter.
describe.skipIf(engine?.name !== 'envoy')('a body whose beginning another filter has held', () => {
  let one: Scripted;
  let service: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
    service = await startScripted({ early: () => status(200) });
  });
  afterAll(() => Promise.all([one.stop(), service.stop()]));
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: one.url }],
    adjust: (bootstrap) => {
      const chain: unknown[] = connectionManager(bootstrap).http_filters;
      chain.unshift(authz);
      addClusters(bootstrap, { authz: service.url });
    },
  }));

  describe.each(framings)('over %s', (framing) => {
    it.each([
      [10, callMessage],
      [10_000, callMessage],
      [300_000, callMessage],
      [10_000, lateNameMessage],
      [300_000, lateNameMessage],
    ])('comes to its server once, with %i bytes of arguments', async (size, messageOf) => {
      const session = await openSession(gateway.current.url);
      const args = JSON.stringify({ text: 'x'.repeat(size) });
      const bytes = Buffer.from(messageOf('"one_echo"', args));
      const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
      for (const beginning of [30, bytes.length / 2, bytes.length]) {
        one.forget();
        service.forget();
        const sent = upload(gateway.current.url, { framing, headers, size: bytes.length });
        await sent.write(bytes.subarray(0, beginning));
        await until('the service was asked', () => service.arrivals.length === 1);
        // Its answer lets the beginning pass, mostly before the rest has come.
        await sleep(50);
        await sent.write(bytes.subarray(beginning));
        sent.end();
        expect(message(await sent.answer)).toHaveProperty('result');
        expect(one.of('tools/call').map(({ body }) => body.toString())).toEqual([messageOf('"echo"', args)]);
      }
    });
  });
});
