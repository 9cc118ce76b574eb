// What a server that keeps no session is asked when one client after the other begins.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
import { startStateful, type Stateful } from './upstreams/stateful.ts';

describeGateway('clients that begin one after the other', () => {
  let plain: Scripted;
  let keeping: Stateful;
  beforeAll(async () => {
    plain = await startScripted({ tools: ['echo'] });
    keeping = await startStateful('keeping');
  });
  afterAll(() => Promise.all([plain.stop(), keeping.server.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'plain', url: plain.url },
      { name: 'keeping', url: keeping.server.url },
    ],
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it('ask a server without sessions once, and one with sessions each time, on every worker', async () => {
      const begin = async (body: string): Promise<readonly [id: string, result: unknown]> => {
        const answer = await post(gateway.current.url, body, { http });
        return [String(answer.headers['mcp-session-id']), message(answer).result];
      };
      const body = initializeMessage();
      const [, first] = await begin(body);
      plain.forget();
      for (let client = 0; client < 6; client++) {
        keeping.server.forget();
        const [id, result] = await begin(body);
        expect(result).toEqual(first);
        expect(keeping.server.of('initialize')).toHaveLength(1);
        const listed = toolNames(await resumeSession(gateway.current.url, id, { http }).post(listMessage()));
        expect(listed).toEqual(['plain_echo', 'keeping_echo']);
      }
      expect(plain.of('initialize')).toEqual([]);
      await post(gateway.current.url, initializeMessage(), { http });
      expect(plain.of('initialize')).toHaveLength(1);
    });
  });
});

describeGateway('clients that begin where sessions are opened lazily', () => {
  let keeping: Stateful;
  let other: Stateful;
  let personal: Stateful;
  beforeAll(async () => {
    keeping = await startStateful('keeping');
    other = await startStateful('other');
    personal = await startStateful('personal');
  });
  afterAll(() => Promise.all([keeping, other, personal].map(({ server }) => server.stop())));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'keeping', url: keeping.server.url },
      { name: 'other', url: other.server.url },
      {
        name: 'personal',
        url: personal.server.url,
        credentials: { type: 'passthrough', headers: ['authorization'] },
      },
    ],
    plugin: { sessions: { open: 'lazy' } },
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it('get a session with a server at their first call there, each a session of its own', async () => {
      const begin = async (body: string): Promise<readonly [id: string, result: unknown]> => {
        const answer = await post(gateway.current.url, body, { http, headers: { authorization: 'Bearer a' } });
        return [String(answer.headers['mcp-session-id']), message(answer).result];
      };
      const forget = (): void => {
        for (const { server } of [keeping, other, personal]) server.forget();
      };
      const body = initializeMessage();
      const [, first] = await begin(body);
      const opened: string[] = [];
      for (let client = 0; client < 4; client++) {
        forget();
        const [id, result] = await begin(body);
        expect(result).toEqual(first);
        expect(keeping.server.requests).toEqual([]);
        expect(personal.server.of('initialize'), 'a server that is told who asks').toHaveLength(1);
        const session = resumeSession(gateway.current.url, id, { http, headers: { authorization: 'Bearer a' } });
        for (let call = 0; call < 3; call++)
          expect((await session.post(callMessage('"keeping_echo"'))).text).toContain('"done"');
        expect(keeping.server.requests.map(({ rpcMethod }) => rpcMethod)).toEqual([
          'initialize',
          'notifications/initialized',
          'tools/call',
          'tools/call',
          'tools/call',
        ]);
        opened.push(keeping.latest());
        expect((await session.end()).status).toBe(200);
        expect(keeping.server.of('DELETE')).toHaveLength(1);
        expect(other.server.requests, 'a server that nobody has called').toEqual([]);
      }
      expect(new Set(opened).size).toBe(4);
    });

    it('are listed the tools of servers that have no session yet', async () => {
      const body = initializeMessage();
      await post(gateway.current.url, body, { http });
      const { headers } = await post(gateway.current.url, body, { http });
      const session = resumeSession(gateway.current.url, String(headers['mcp-session-id']), { http });
      expect(toolNames(await session.post(listMessage()))).toEqual(['keeping_echo', 'other_echo', 'personal_echo']);
    });
  });
});
