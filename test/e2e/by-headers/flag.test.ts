// Host mode `headers` on a filter without `allow_on_headers_stop_iteration`: no body comes to a request that is held.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectionManager } from '../adjust.ts';
import { message, refusal } from '../clients/answers.ts';
import { bothProtocols, send } from '../clients/raw.ts';
import { mcpHeaders } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';

const revision = '2026-07-28';
const claim = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${revision}"}`;

describeGateway('a filter that cannot hold', () => {
  let one: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => one.stop());
  beforeEach(() => {
    one.forget();
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: one.url }],
    adjust: (bootstrap) => {
      const [filter] = connectionManager(bootstrap).http_filters;
      filter.typed_config.config.allow_on_headers_stop_iteration = false;
    },
  }));

  const call = (http: (typeof bothProtocols)[number], name: string) =>
    send(gateway.current.url, {
      http,
      body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}",${claim}}}`,
      headers: { ...mcpHeaders, 'mcp-protocol-version': revision, 'mcp-method': 'tools/call', 'mcp-name': name },
    });

  it.each(bothProtocols)('serves over %s, and refuses without an id', async (http) => {
    for (let round = 0; round < 5; round++) {
      expect(refusal(await call(http, 'none'))).toEqual({
        status: 400,
        id: null,
        code: -32602,
        reason: 'unknown_tool',
      });
      expect(message(await call(http, 'one_echo'))).toHaveProperty('result');
    }
    expect(one.of('tools/call')).toHaveLength(5);
    expect(gateway.current.log()).toContain('errors that are known before the body have no id');
  });
});
