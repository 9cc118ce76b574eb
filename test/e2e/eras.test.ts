// Clients of either era with servers of either: which of them meet, and what comes across.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContentBlock } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';
import { until } from './until.ts';

const textOf = ({ content = [] }: { content?: unknown }): string => {
  const [block] = content as ContentBlock[];
  return block?.type === 'text' ? block.text : JSON.stringify(block);
};

describeGateway('clients and servers of two eras', () => {
  let old: CompleteServer;
  let modern: ModernServer;
  beforeAll(async () => {
    [old, modern] = await Promise.all([startCompleteServer('old'), startModernServer('modern')]);
  });
  afterAll(() => Promise.all([old.stop(), modern.stop()]));

  const gateways = {
    'an old server': useGateway(() => ({ servers: [{ name: 'old', url: old.url }] })),
    'a modern server': useGateway(() => ({ servers: [{ name: 'modern', url: modern.url }] })),
    'one of each': useGateway(() => ({
      servers: [
        { name: 'old', url: old.url },
        { name: 'modern', url: modern.url },
      ],
    })),
  };

  /** Who is served, by which revision, where a client speaks both eras. */
  const cells = [
    ['legacy', 'an old server', ['old'], '2025-11-25'],
    ['legacy', 'a modern server', ['modern'], '2025-11-25'],
    ['legacy', 'one of each', ['old', 'modern'], '2025-11-25'],
    ['auto', 'an old server', ['old'], '2025-11-25'],
    ['auto', 'a modern server', ['modern'], '2026-07-28'],
    ['auto', 'one of each', ['old', 'modern'], '2026-07-28'],
    [{ pin: '2026-07-28' }, 'a modern server', ['modern'], '2026-07-28'],
    [{ pin: '2026-07-28' }, 'one of each', ['old', 'modern'], '2026-07-28'],
  ] as const;

  describe.each(cells)('a client in mode %j and %s', (mode, which, names, revision) => {
    const connect = () => connectModern(gateways[which].current.url, mode);
    const uriOf = (name: string) => (names.length === 1 ? 'test://static-text' : `test://${name}/static-text`);

    it('meet', async () => {
      const client = await connect();
      expect(client.getNegotiatedProtocolVersion()).toBe(revision);
      await client.close();
    });

    it('list', async () => {
      const client = await connect();
      const { tools } = await client.listTools();
      const { prompts } = await client.listPrompts();
      const { resources } = await client.listResources();
      for (const name of names) {
        expect(tools.map((tool) => tool.name)).toContain(`${name}_test_same_name`);
        expect(prompts.map((prompt) => prompt.name)).toContain(`${name}_test_same_name`);
        expect(resources.map(({ uri }) => uri)).toContain(uriOf(name));
      }
      await client.close();
    });

    it.each(names)('call, read and complete at %s', async (name) => {
      const client = await connect();
      expect(textOf(await client.callTool({ name: `${name}_test_same_name`, arguments: {} }))).toBe(
        `a tool of ${name}`,
      );
      const prompt = await client.getPrompt({ name: `${name}_test_same_name` });
      expect(prompt.messages[0]?.content).toEqual({ type: 'text', text: `a prompt of ${name}` });
      const { contents } = await client.readResource({ uri: uriOf(name) });
      expect(contents[0]).toMatchObject({ uri: uriOf(name), text: `The static text of ${name}.` });
      const { completion } = await client.complete({
        ref: { type: 'ref/prompt', name: `${name}_test_prompt_with_arguments` },
        argument: { name: 'arg1', value: 'x' },
      });
      expect(completion.values).toEqual(['x0', 'x1', name]);
      await client.close();
    });

    it.each(names)('report progress of %s, and an error', async (name) => {
      const client = await connect();
      const seen: number[] = [];
      await client.callTool(
        { name: `${name}_test_tool_with_progress`, arguments: {} },
        { onprogress: ({ progress }) => seen.push(progress) },
      );
      expect(seen).toEqual([0, 50, 100]);
      const failed = await client.callTool({ name: `${name}_test_error_handling`, arguments: {} });
      expect(failed.isError).toBe(true);
      await expect(client.callTool({ name: `${name}_none`, arguments: {} })).rejects.toThrow(/none/);
      await client.close();
    });

    it.each(names)('pass a large call to %s', async (name) => {
      const client = await connect();
      const args = { filler: 'x'.repeat(300_000) };
      const result = await client.callTool({ name: `${name}_test_same_name`, arguments: args });
      expect(textOf(result)).toBe(`a tool of ${name}`);
      await client.close();
    });
  });

  it('do not meet where a client speaks 2026-07-28 alone, and asks an old server for that first', async () => {
    const connected = connectModern(gateways['an old server'].current.url, { pin: '2026-07-28' });
    await expect(connected).rejects.toThrow(/did not offer pinned protocol version 2026-07-28/);
  });

  it('leave no session behind that was opened for one request', async () => {
    const before = old.sessions.size;
    const client = await connectModern(gateways['one of each'].current.url);
    await client.listTools();
    await client.callTool({ name: 'old_test_same_name', arguments: {} });
    await client.close();
    await sleep(10);
    await until('the sessions have ended', () => old.sessions.size <= before);
  });
});
