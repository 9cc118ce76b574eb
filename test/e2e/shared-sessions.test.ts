// Requests without sessions that reach a server with sessions: those of one caller share one there, and keep their ids apart.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
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

interface Caller {
  readonly headers: Readonly<Record<string, string>>;
  readonly info?: object;
  readonly capabilities?: object;
}

/** Calls a tool. @returns the last message of the answer */
async function postCall(url: string, name: string, id: number, caller: Caller): Promise<Message | undefined> {
  const { headers, info = {}, capabilities = {} } = caller;
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': modern,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    'io.modelcontextprotocol/clientInfo': info,
  };
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      ...mcpHeaders,
      'mcp-protocol-version': modern,
      'mcp-method': 'tools/call',
      'mcp-name': name,
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {}, _meta } }),
  });
  return messagesIn(await answer.text()).at(-1);
}

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

  describe('are not shared', () => {
    let counted: Scripted;
    beforeAll(async () => {
      counted = await startScripted({ tools: ['echo'], sessionId: 's' });
    });
    afterAll(() => counted.stop());
    const gateway = useGateway(() => ({
      servers: [
        {
          name: 'counted',
          url: counted.url,
          protocol: '2025-11-25',
          credentials: { type: 'passthrough', headers: ['x-token'] },
        },
      ],
      plugin: {
        identity: { trustedHeader: 'x-user' },
        virtualServers: ['team/a', 'team/b'].map((name) => ({ name, tools: ['counted_*'] })),
      },
    }));

    interface Asking {
      readonly path?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly info?: object;
      readonly capabilities?: object;
    }
    /** How many sessions a call has opened. */
    const opened = async ({ path = '', headers = {}, info = {}, capabilities = {} }: Asking): Promise<number> => {
      const before = counted.of('initialize').length;
      const answer = await postCall(gateway.current.url + path, 'counted_echo', 1, {
        headers: { 'x-user': 'ada', 'x-token': 'secret', ...headers },
        info: { name: 'raw', version: '1', ...info },
        capabilities,
      });
      expect(answer).toMatchObject({ result: { content: [{ text: 'done' }] } });
      return counted.of('initialize').length - before;
    };

    const others: readonly (readonly [string, Asking])[] = [
      ['subject', { headers: { 'x-user': 'bob' } }],
      ['subject whose name begins alike', { headers: { 'x-user': 'ada b' } }],
      ['credentials', { headers: { 'x-token': 'other' } }],
      ['no credentials', { headers: { 'x-token': '' } }],
      ['virtual server', { path: '/team/a' }],
      ['virtual server of the same tools', { path: '/team/b' }],
      ['virtual server, named by the header', { headers: { 'x-mcp-virtualserver': 'team/a' } }],
      ['name of the client', { info: { name: 'other' } }],
      ['version of the client', { info: { version: '2' } }],
      ['capabilities', { capabilities: { roots: {} } }],
      ['extensions', { capabilities: { extensions: { x: {} } } }],
    ];
    it('but by the same caller', async () => {
      expect(await opened({})).toBe(1);
      expect(await opened({})).toBe(0);
    });

    // Two callers may have the same place: then the second has a session for each request, and never that of the first.
    it.each(others)('with another %s', async (_, asking) => {
      expect(await opened(asking)).toBe(1);
    });
  });

  describe('that the server has lost', () => {
    const gateway = useGateway(() => ({ servers: servers(), plugin: { identity: { trustedHeader: 'x-user' } } }));

    it('are renewed while many requests ask for them', async () => {
      await call(gateway.current.url, 'ada', 'test_same_name');
      old.forget();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, id) => call(gateway.current.url, 'ada', 'test_same_name', id)),
      );
      for (const [id, messages] of answers.entries()) {
        expect(messages.at(-1)).toMatchObject({ id, result: { content: [{ text: 'a tool of old' }] } });
      }
      const open = new Set(old.sessions);
      await call(gateway.current.url, 'ada', 'test_same_name');
      expect([...old.sessions].filter((id) => !open.has(id))).toEqual([]);
    });
  });

  describe('of more callers than have room', () => {
    let counted: Scripted;
    beforeAll(async () => {
      counted = await startScripted({ tools: ['echo'], sessionId: 's' });
    });
    afterAll(() => counted.stop());
    const gateway = useGateway(() => ({
      servers: [{ name: 'counted', url: counted.url, protocol: '2025-11-25' }],
      plugin: { identity: { trustedHeader: 'x-user' } },
    }));

    it('are for one request where the place is taken, and end with it', { timeout: 60_000 }, async () => {
      // Two of so many have the same of 2,048 places: that none of them do happens once in a billion runs.
      const callers = 300;
      const ask = async (caller: number): Promise<void> => {
        const headers = { 'x-user': `caller ${caller}` };
        const answer = await postCall(gateway.current.url, 'counted_echo', caller, { headers });
        expect(answer).toMatchObject({ id: caller, result: { content: [{ text: 'done' }] } });
      };
      for (let round = 0; round < 2; round++) {
        for (let caller = 0; caller < callers; caller += 20) {
          await Promise.all(Array.from({ length: 20 }, (_, index) => ask(caller + index)));
        }
      }
      const withoutRoom = counted.of('initialize').length - callers;
      expect(withoutRoom).toBeGreaterThan(0);
      expect(withoutRoom).toBeLessThan(callers / 2);
      await until('their sessions have ended', () => counted.of('DELETE').length === 2 * withoutRoom);
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
