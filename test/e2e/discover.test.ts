// `discover: always`: clients that speak 2026-07-28 alone begin where all servers have sessions.
import type { ContentBlock } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const modern = '2026-07-28';
const plugin = { discover: 'always' };

const said = ({ content = [] }: { content?: unknown }): string => {
  const [block] = content as ContentBlock[];
  return block?.type === 'text' ? block.text : '';
};

const discover = JSON.stringify({
  jsonrpc: '2.0',
  id: 'd',
  method: 'server/discover',
  params: {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': modern,
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
});

const ask = (url: string) =>
  post(url, discover, { headers: { 'mcp-protocol-version': modern, 'mcp-method': 'server/discover' } });

describeGateway('server/discover where all servers have sessions', () => {
  let servers: CompleteServer[];
  let stateless: ModernServer;
  let down: Scripted;
  beforeAll(async () => {
    [servers, stateless, down] = await Promise.all([
      Promise.all([startCompleteServer('one'), startCompleteServer('two')]),
      startModernServer('modern'),
      startScripted({ tools: ['echo'] }),
    ]);
    await down.stop();
  });
  afterAll(() => Promise.all([...servers.map((server) => server.stop()), stateless.stop()]));

  const byDefault = useGateway(() => ({ servers: servers.map(({ name, url }) => ({ name, url })) }));

  it('does not exist unless it is configured, and the refusal says what to do', async () => {
    const answer = await ask(byDefault.current.url);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({
      id: 'd',
      error: { code: -32601, data: { reason: 'method_not_found' } },
    });
    expect(answer.text).toContain('Open a session with initialize');
    expect(answer.text).toContain('discover: always');
  });

  describe.each([1, 2])('with %i of them, and discover: always', (count) => {
    const gateway = useGateway(() => ({
      plugin,
      servers: servers.slice(0, count).map(({ name, url }) => ({ name, url })),
    }));
    const mark = count === 1 ? '' : 'one/';

    it.each([{ pin: modern }, 'auto'] as const)('serves a client in mode %j', async (mode) => {
      const client = await connectModern(gateway.current.url, mode);
      expect(client.getNegotiatedProtocolVersion()).toBe(modern);
      // No changes are told, and no level of logging is set.
      expect(client.getServerCapabilities()).toEqual({ tools: {}, prompts: {}, resources: {}, completions: {} });

      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('one_test_same_name');
      expect(tools.some(({ name }) => name === 'two_test_same_name')).toBe(count === 2);
      const { prompts } = await client.listPrompts();
      expect(prompts.map(({ name }) => name)).toContain('one_test_same_name');
      const { resourceTemplates } = await client.listResourceTemplates();
      expect(resourceTemplates).not.toEqual([]);

      expect(said(await client.callTool({ name: 'one_test_same_name', arguments: {} }))).toBe('a tool of one');
      const prompt = await client.getPrompt({ name: 'one_test_same_name' });
      expect(prompt.messages[0]?.content).toEqual({ type: 'text', text: 'a prompt of one' });
      const uri = `test://${mark}static-text`;
      expect((await client.readResource({ uri })).contents[0]).toMatchObject({ uri, text: 'The static text of one.' });
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: 'one_test_prompt_with_arguments' },
        argument: { name: 'arg1', value: 'x' },
      });
      expect(completion.values).toEqual(['x0', 'x1', 'one']);
      await client.close();
    });

    it('serves a client with a session as before', async () => {
      const client = await connectModern(gateway.current.url, 'legacy');
      expect(client.getNegotiatedProtocolVersion()).toBe('2025-11-25');
      expect(client.getServerCapabilities()).toHaveProperty('logging');
      expect(said(await client.callTool({ name: 'one_test_same_name', arguments: {} }))).toBe('a tool of one');
      await client.close();
    });

    it('leaves no session behind', async () => {
      const before = servers.map(({ sessions }) => sessions.size);
      expect((await ask(gateway.current.url)).status).toBe(200);
      await expect
        .poll(() => servers.every(({ sessions }, i) => sessions.size <= (before[i] ?? 0)), { timeout: 20_000 })
        .toBe(true);
    });
  });

  describe('with one of each era, and discover: always', () => {
    const gateway = useGateway(() => ({
      plugin,
      servers: [...servers.slice(0, 1), stateless].map(({ name, url }) => ({ name, url })),
    }));

    it('reaches both', async () => {
      const client = await connectModern(gateway.current.url, { pin: modern });
      expect(said(await client.callTool({ name: 'one_test_same_name', arguments: {} }))).toBe('a tool of one');
      expect(said(await client.callTool({ name: 'modern_test_same_name', arguments: {} }))).toBe('a tool of modern');
      await client.close();
    });
  });

  describe('where no server answers', () => {
    const gateway = useGateway(() => ({ plugin, servers: [{ name: 'down', url: down.url }] }));

    it('says so, and not that there is no such method', async () => {
      const answer = await ask(gateway.current.url);
      expect(JSON.parse(answer.text)).toMatchObject({
        id: 'd',
        error: { data: { reason: expect.stringMatching(/^upstream_/) as string, server: 'down' } },
      });
    });
  });
});
