// What clients of revision 2026-07-28 get through the gateway from servers of that revision: the same in every host mode.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type ModernServer, startModernServer } from './upstreams/modern.ts';

const modern = '2026-07-28';

/** A client of version 2 of the TypeScript SDK. */
export async function connectModern(url: string, mode: 'auto' | 'legacy' | { pin: string } = 'auto') {
  const client = new Client(
    { name: 'modern-client', version: '1' },
    { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode } },
  );
  client.setRequestHandler('elicitation/create', ({ params }) => ({
    action: 'accept',
    content: 'requestedSchema' in params ? { name: 'Ada', color: 'red', context: 'here', ok: true } : {},
  }));
  client.setRequestHandler('sampling/createMessage', () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'Paris' },
  }));
  client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home' }] }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

const said = (result: { content?: unknown }): string | undefined =>
  (result.content as { text?: string }[] | undefined)?.[0]?.text;

export function proveStatelessEra(): void {
  describeGateway('clients and servers of 2026-07-28', () => {
    let servers: ModernServer[];
    beforeAll(async () => {
      servers = await Promise.all([startModernServer('one'), startModernServer('two')]);
    });
    afterAll(() => Promise.all(servers.map((server) => server.stop())));

    describe.each([1, 2])('with %i servers', (count) => {
      const gateway = useGateway(() => ({ servers: servers.slice(0, count).map(({ name, url }) => ({ name, url })) }));
      const mark = count === 1 ? '' : 'one/';

      it.each(['auto', { pin: modern }] as const)('meet in mode %j', async (mode) => {
        const client = await connectModern(gateway.current.url, mode);
        expect(client.getNegotiatedProtocolVersion()).toBe(modern);
        expect(client.getServerCapabilities()).toMatchObject({ tools: {}, prompts: {}, resources: {} });
        expect(client.getInstructions()).toContain('Use one.');

        const { tools } = await client.listTools();
        const names = tools.map(({ name }) => name);
        expect(names).toContain('one_test_simple_text');
        expect(names.includes('two_test_simple_text')).toBe(count === 2);
        expect(said(await client.callTool({ name: 'one_test_simple_text', arguments: {} }))).toContain('simple text');
        expect(said(await client.callTool({ name: 'one_test_same_name', arguments: {} }))).toBe('a tool of one');

        const { prompts } = await client.listPrompts();
        expect(prompts.map(({ name }) => name)).toContain('one_test_simple_prompt');
        const prompt = await client.getPrompt({
          name: 'one_test_prompt_with_arguments',
          arguments: { arg1: 'a', arg2: 'b' },
        });
        expect(JSON.stringify(prompt.messages)).toContain("arg1='a'");

        const { resources } = await client.listResources();
        expect(resources.map(({ uri }) => uri)).toContain(`test://${mark}static-text`);
        const { resourceTemplates } = await client.listResourceTemplates();
        expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain(`test://${mark}template/{id}/data`);
        const { contents } = await client.readResource({ uri: `test://${mark}static-text` });
        expect(contents[0]).toMatchObject({ uri: `test://${mark}static-text`, text: 'The static text of one.' });

        const completed = await client.complete({
          ref: { type: 'ref/prompt', name: 'one_test_prompt_with_arguments' },
          argument: { name: 'arg1', value: 'x' },
        });
        expect(completed.completion.values).toEqual(['x0', 'x1', 'one']);
        await client.close();
      });

      it('ask for input, and get it', async () => {
        const client = await connectModern(gateway.current.url);
        const call = async (name: string) => said(await client.callTool({ name: `one_${name}`, arguments: {} }));
        expect(await call('test_input_required_result_elicitation')).toBe('Hello, Ada!');
        expect(await call('test_input_required_result_sampling')).toContain('Paris');
        expect(await call('test_input_required_result_request_state')).toBe('state-ok');
        expect(await call('test_input_required_result_multi_round')).toBe('three rounds');
        await client.close();
      });

      it('listen to the only server, and are told at once that of several there is nothing to hear', async () => {
        const stop = new AbortController();
        const _meta = {
          'io.modelcontextprotocol/protocolVersion': modern,
          'io.modelcontextprotocol/clientCapabilities': {},
        };
        const params = { notifications: { toolsListChanged: true }, _meta };
        const listened = await fetch(gateway.current.url, {
          method: 'POST',
          headers: { ...mcpHeaders, 'mcp-protocol-version': modern, 'mcp-method': 'subscriptions/listen' },
          body: JSON.stringify({ jsonrpc: '2.0', id: 'l', method: 'subscriptions/listen', params }),
          signal: stop.signal,
        });
        const parts = (listened.body ?? new ReadableStream<Uint8Array>())
          .pipeThrough(new TextDecoderStream())
          .getReader();
        let text = '';
        const hear = async (said: string): Promise<void> => {
          for (let part = await parts.read(); !part.done; part = await parts.read()) {
            text += part.value;
            if (text.includes(said)) return;
          }
        };
        await hear('notifications/subscriptions/acknowledged');
        if (count === 1) {
          const client = await connectModern(gateway.current.url);
          await client.callTool({ name: 'one_test_trigger_tool_change', arguments: {} });
          await hear('notifications/tools/list_changed');
          expect(text).toContain('"toolsListChanged":true');
          expect(text).toContain('notifications/tools/list_changed');
          expect(text).not.toContain('"result"');
          await client.close();
        } else {
          await hear('no such text: to its end');
          expect(text).toContain('"notifications":{}');
          expect(text).toMatch(/"id":"l".*"resultType":"complete"|"resultType":"complete".*"id":"l"/);
        }
        stop.abort();
        await parts.cancel().catch(() => undefined); // it was left
      });

      it('refuse what does not exist', async () => {
        const client = await connectModern(gateway.current.url);
        await expect(client.callTool({ name: 'none_echo', arguments: {} })).rejects.toMatchObject({ code: -32602 });
        await expect(client.readResource({ uri: 'test://none/x' })).rejects.toMatchObject({ code: -32602 });
        await client.close();
      });

      it('pass an argument that a header repeats', async () => {
        const client = await connectModern(gateway.current.url);
        await client.listTools();
        const result = await client.callTool({ name: 'one_test_x_mcp_header', arguments: { region: 'zürich' } });
        expect(said(result)).toBe('{"region":"zürich"}');
        await client.close();
      });

      it('pass a call of a megabyte', async () => {
        const client = await connectModern(gateway.current.url);
        const region = 'x'.repeat(1_000_000);
        const result = await client.callTool({ name: 'one_test_same_name', arguments: { region } });
        expect(said(result)).toBe('a tool of one');
        await client.close();
      });
    });
  });
}
