// A list that is larger than `limits.listBytes` comes in parts to a client of 2026-07-28: each has the cursor of the next one.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type TaskServer, startTaskServer } from './upstreams/tasks.ts';

interface Answer {
  readonly result?: {
    readonly tools: { readonly name: string }[];
    readonly nextCursor?: string;
    readonly cacheScope: string;
  };
  readonly error?: { readonly code: number; readonly data: { readonly reason: string } };
}

describeGateway('lists in parts', () => {
  let servers: TaskServer[];
  beforeAll(async () => {
    servers = await Promise.all(['one', 'two', 'three'].map(startTaskServer));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: servers.map(({ name, url }) => ({ name, url })),
    plugin: { limits: { listBytes: 900 }, identity: { trustedHeader: 'x-user' } },
  }));

  const list = async (cursor?: unknown, user = 'ada', method = 'tools/list', path = ''): Promise<Answer> => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const headers = { ...mcpHeaders, 'x-user': user, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { cursor, _meta } });
    return (await (await fetch(gateway.current.url + path, { method: 'POST', headers, body })).json()) as Answer;
  };

  it('have every tool once, in order', async () => {
    const names: string[] = [];
    let parts = 0;
    for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
      const { result } = await list(cursor);
      names.push(...(result?.tools ?? []).map(({ name }) => name));
      expect(result?.cacheScope).toBe('private');
      cursor = result?.nextCursor;
      parts++;
    }
    expect(parts).toBe(2);
    expect(names.length).toBe(24);
    expect(new Set(names).size).toBe(24);
    expect(names.map((name) => name.split('_')[0])).toEqual(
      ['one', 'two', 'three'].flatMap((name) => Array.from({ length: 8 }, () => name)),
    );
  });

  it('go on for the caller alone that began, and in the same kind of list', async () => {
    const cursor = (await list()).result?.nextCursor ?? '';
    expect((await list(cursor)).result?.tools.length).toBeGreaterThan(0);
    const middle = cursor.length >> 1;
    const altered = cursor.slice(0, middle) + (cursor[middle] === 'A' ? 'B' : 'A') + cursor.slice(middle + 1);
    const refused = [await list(cursor, 'bob'), await list(cursor, 'ada', 'prompts/list')];
    for (const forged of [altered, '', 'x', 7]) refused.push(await list(forged));
    for (const { error } of refused) expect(error).toMatchObject({ code: -32602, data: { reason: 'bad_cursor' } });
  });

  it('begin anew where the list is another one', async () => {
    const cursor = (await list()).result?.nextCursor ?? '';
    await servers[2]?.stop();
    expect((await list(cursor)).error).toMatchObject({ code: -32602, data: { reason: 'bad_cursor' } });
    servers[2] = await startTaskServer('three');
  });
});
