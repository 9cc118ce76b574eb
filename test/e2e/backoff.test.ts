// Servers that are left alone for a while, and for whom: one client's trouble with a server is not everybody's.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import {
  callMessage,
  initializeMessage,
  listMessage,
  openSession,
  post,
  resumeSession,
  type Session,
} from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { never, type Scripted, startScripted, status } from './upstreams/scripted.ts';

describeGateway('a server that does not open a session', () => {
  let servers: Readonly<Record<'strict' | 'hanging' | 'private', Scripted>>;
  const there: Record<string, string> = {};
  beforeAll(async () => {
    const [strict, hanging, own] = await Promise.all([0, 1, 2].map(() => startScripted({ tools: ['echo'] })));
    if (strict === undefined || hanging === undefined || own === undefined) throw new Error('there are three');
    servers = { strict, hanging, private: own };
    for (const [name, { url }] of Object.entries(servers)) there[name] = url;
  });
  afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: Object.entries(there).map(([name, url]) => ({
      name,
      url,
      ...(name === 'private' && { credentials: { type: 'passthrough', headers: ['x-token'] } }),
    })),
    plugin: { limits: { handshakeTimeout: '700ms' } },
  }));
  /** What a new client gets, with a header of its own. */
  async function list(headers: Record<string, string> = {}): Promise<string[]> {
    const session = await begun(initializeMessage(), headers);
    const answer = await session.post(listMessage(), { headers });
    await session.end();
    return toolNames(answer);
  }

  async function begun(initialize: string, headers: Record<string, string> = {}): Promise<Session> {
    const answer = await post(gateway.current.url, initialize, { headers });
    return resumeSession(gateway.current.url, String(answer.headers['mcp-session-id']));
  }

  it.each([400, 401, 403, 429, 500])('for what one client said is in everybody else’s lists: %i', async (code) => {
    const { strict } = servers;
    const odd = JSON.stringify({
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 7 } },
    });
    strict.answers = { initialize: status(code, 'text/plain', 'clientInfo.name: expected string') };
    const refused = await begun(odd);
    strict.answers = {};
    expect(await list()).toContain('strict_echo');
    // Nor does the one that sent it have to wait.
    expect(toolNames(await refused.post(listMessage()))).toContain('strict_echo');
    await refused.end();
  });

  it('by its credential is left alone for that credential', async () => {
    const { private: own } = servers;
    own.answers = { initialize: status(503) };
    expect(await list({ 'x-token': 'alice' })).not.toContain('private_echo');
    own.answers = {};
    own.forget();
    expect(await list({ 'x-token': 'bob' })).toContain('private_echo');
    expect(own.of('initialize').map(({ headers }) => headers['x-token'])).toEqual(['bob']);
  });

  it('as it hangs costs the first session its time, and no other', async () => {
    const { hanging } = servers;
    hanging.answers = { initialize: never };
    hanging.forget();
    const session = await openSession(gateway.current.url);
    for (let round = 0; round < 5; round++) expect(await list()).not.toContain('hanging_echo');
    expect(hanging.of('initialize')).toHaveLength(1);
    // A call has nobody else to ask, and the first that is served ends it for all.
    expect(refusal(await session.post(callMessage('"hanging_echo"')))).toMatchObject({ reason: 'upstream_timeout' });
    hanging.answers = {};
    expect(message(await session.post(callMessage('"hanging_echo"')))).toHaveProperty('result');
    expect(await list()).toContain('hanging_echo');
    await session.end();
  });
});
