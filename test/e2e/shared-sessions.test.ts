// Requests without sessions that reach a server with sessions: those of one caller share one there, and keep their ids apart.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { until } from './until.ts';

const modern = '2026-07-28';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: { readonly progressToken?: number | string; readonly progress?: number };
  readonly result?: { readonly resultType?: string; readonly content?: { readonly text?: string }[] };
}

const messagesIn = (text: string): Message[] =>
  text.startsWith('{')
    ? [JSON.parse(text) as Message]
    : [...text.matchAll(/^data: (\{.+)$/gm)].map(([, data = '']) => JSON.parse(data) as Message);

describeGateway('sessions that requests without one share', () => {
  let old: CompleteServer;
  beforeAll(async () => {
    old = await startCompleteServer('old');
  });
  afterAll(() => old.stop());
  const servers = () => [{ name: 'old', url: old.url, protocol: '2025-11-25' }];

  const request = (
    url: string,
    user: string,
    tool: string,
    id: number | string = 0,
    progressToken: number | string = id,
    signal?: AbortSignal,
  ): Promise<Response> => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': modern,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
      progressToken,
    };
    const name = `old_${tool}`;
    return fetch(url, {
      method: 'POST',
      headers: {
        ...mcpHeaders,
        'x-user': user,
        'mcp-protocol-version': modern,
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {}, _meta } }),
      ...(signal && { signal }),
    });
  };
  const call = async (...args: Parameters<typeof request>): Promise<Message[]> =>
    messagesIn(await (await request(...args)).text());

  describe('where it is known who asks', () => {
    const gateway = useGateway(() => ({ servers: servers(), plugin: { identity: { trustedHeader: 'x-user' } } }));
    const url = () => gateway.current.url;

    it('are one for each caller', async () => {
      const before = old.sessions.size;
      for (const user of ['ada', 'bob', 'ada', 'bob', 'ada']) {
        const [answer] = (await call(url(), user, 'test_same_name')).slice(-1);
        expect(answer).toMatchObject({
          id: 0,
          result: { resultType: 'complete', content: [{ text: 'a tool of old' }] },
        });
      }
      expect(old.sessions.size).toBe(before + 2);
    });

    it('are one where many of its requests come at once, and each gets its own answer', async () => {
      const before = old.sessions.size;
      const tokens = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? index : `token ${index}`));
      // All have the same id: each client counts its own.
      const answers = await Promise.all(tokens.map((token) => call(url(), 'eve', 'test_tool_with_progress', 1, token)));
      for (const [index, messages] of answers.entries()) {
        const progress = messages.filter(({ method }) => method === 'notifications/progress');
        expect(progress.map(({ params }) => params?.progressToken)).toEqual(Array(3).fill(tokens[index]));
        expect(messages.filter(({ result }) => result !== undefined).map(({ id }) => id)).toEqual([1]);
      }
      expect(old.sessions.size).toBe(before + 1);
    });

    it('are renewed where the server has lost them', async () => {
      await call(url(), 'ida', 'test_same_name');
      old.forget();
      const [answer] = (await call(url(), 'ida', 'test_same_name', 'x')).slice(-1);
      expect(answer).toMatchObject({ id: 'x', result: { content: [{ text: 'a tool of old' }] } });
      expect(old.sessions.size).toBe(1);
    });

    it('go on when a client leaves, which cancels its request alone', async () => {
      const before = old.told.length;
      const leaving = new AbortController();
      const left = request(url(), 'eve', 'test_waiting', 1, 1, leaving.signal).catch(() => undefined);
      await until('the call waits', () => old.told.slice(before).includes('a call waits'));
      const sessions = old.sessions.size;
      leaving.abort();
      await left;
      await until('the call was cancelled', () => old.told.slice(before).includes('a call was cancelled'));
      await call(url(), 'eve', 'test_same_name');
      expect(old.sessions.size).toBe(sessions);
    });
  });

  describe('where nobody knows who asks', () => {
    const gateway = useGateway(() => ({ servers: servers() }));

    it('are none: each request has its own, which ends with it', async () => {
      const before = old.sessions.size;
      const answers = await Promise.all([0, 1].map((id) => call(gateway.current.url, 'ada', 'test_same_name', id)));
      expect(answers.map((messages) => messages.at(-1)?.id)).toEqual([0, 1]);
      await until('the sessions have ended', () => old.sessions.size === before);
    });
  });
});
