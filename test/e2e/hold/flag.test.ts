// Host mode `hold` on a filter without `allow_on_headers_stop_iteration`: the body never comes, and that is noticed.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionManager } from '../adjust.ts';
import { message, refusal } from '../clients/answers.ts';
import { bothProtocols, send } from '../clients/raw.ts';
import { initializeMessage, mcpHeaders, post } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';

describeGateway('a filter that may not hold', () => {
  let one: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => one.stop());
  const gateway = useGateway(
    () => ({
      servers: [{ name: 'one', url: one.url }],
      adjust: (bootstrap) => {
        const [filter] = connectionManager(bootstrap).http_filters;
        filter.typed_config.config.allow_on_headers_stop_iteration = false;
      },
    }),
    /the body of the request does not come to the filter/,
  );

  it.each(
    bothProtocols.flatMap((http) =>
      [
        ['whole', [initializeMessage()]],
        ['in two pieces', ['{"jsonrpc":"2.0",', initializeMessage().slice(17)]],
        ['of 2 MB', [initializeMessage(), ' '.repeat(2 << 20)]],
      ].map(([what, body]) => [http, what as string, body as string[]] as const),
    ),
  )('answers over %s a body that comes %s', async (http, _, body) => {
    const answer = await post(gateway.current.url, body, { http, pause: 300, withoutLength: true });
    expect(refusal(answer)).toEqual({ status: 500, id: null, code: -32603, reason: 'host_mode' });
    expect(message(answer).error?.message).toContain('allow_on_headers_stop_iteration');
  });

  it.each(bothProtocols)('refuses over %s for their own reasons what it would have refused anyway', async (http) => {
    const headers = { ...mcpHeaders, origin: 'https://evil.example' };
    const answer = await send(gateway.current.url, { http, body: initializeMessage(), headers });
    expect(refusal(answer)).toMatchObject({ status: 403, reason: 'origin_forbidden' });
  });

  it.each(bothProtocols)('serves over %s what has no body', async (http) => {
    expect((await send(gateway.current.url, { http, method: 'GET' })).status).toBe(405);
  });
});
