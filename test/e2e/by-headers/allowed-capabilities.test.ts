// What a caller may use by the header x-mcp-authorized, where calls are decided on by their headers and not held.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { capabilityIssuer, capabilityKeys, issuer } from '../capability-keys.ts';
import { message } from '../clients/answers.ts';
import { type RawAnswer, send } from '../clients/raw.ts';
import { mcpHeaders } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { jwt, signed } from '../token-filter.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';

const modern = '2026-07-28';
const meta = { 'io.modelcontextprotocol/protocolVersion': modern };

describeGateway('x-mcp-authorized of calls that are decided on by their headers', () => {
  const { callers, capabilities, signer, remove } = capabilityKeys();
  let one: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['get', 'drop'] });
  });
  beforeEach(() => {
    one.forget();
  });
  afterAll(async () => {
    await one.stop();
    remove();
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: one.url }],
    plugin: {
      auth: { issuers: [{ issuer, jwks: { file: callers } }] },
      allowedCapabilities: { subject: 'user', issuers: [{ issuer: capabilityIssuer, jwks: { file: capabilities } }] },
    },
  }));

  const listOf = (tools: readonly string[], user?: string): string =>
    signed(
      {
        ...{ iss: capabilityIssuer, 'allowed-capabilities': JSON.stringify({ tools: { one: tools } }) },
        ...(user !== undefined && { user }),
      },
      signer.privateKey,
    );
  const call = (name: string, list: string): Promise<RawAnswer> =>
    send(gateway.current.url, {
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: {}, _meta: meta },
      }),
      headers: {
        ...mcpHeaders,
        authorization: `Bearer ${jwt({ iss: issuer, sub: 'ada' })}`,
        'x-mcp-authorized': list,
        'mcp-protocol-version': modern,
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
    });
  const reasonOf = (answer: RawAnswer): unknown => message(answer).error?.data?.['reason'] ?? 'ok';

  it('lets call what it lists for the subject of the token', async () => {
    expect(reasonOf(await call('one_get', listOf(['get'], 'ada')))).toBe('ok');
    expect(one.requests.map(({ headers }) => headers['x-mcp-authorized'])).toEqual([undefined]);
    expect(reasonOf(await call('one_drop', listOf(['get'], 'ada')))).toBe('unknown_tool');
  });

  it('is refused where it was made for another user, or for nobody', async () => {
    for (const user of ['eve', 'Ada', undefined]) {
      const answer = await call('one_get', listOf(['get', 'drop'], user));
      expect([user, answer.status, reasonOf(answer)]).toEqual([user, 403, 'other_subject']);
    }
    expect(one.requests).toEqual([]);
  });
});
