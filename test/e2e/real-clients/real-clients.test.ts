// Clients of others, as they are, with two federated servers that have the same nouns.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { until } from '../until.ts';
import { type CompleteServer, startCompleteServer } from '../upstreams/complete/server.ts';
import { type RealClient, persona, textOf } from './client.ts';
import { connectRemote } from './remote.ts';
import { connectSdk1 } from './sdk1.ts';
import { connectSdk2 } from './sdk2.ts';

const clients = [
  { client: 'SDK 1', connect: connectSdk1, ends: true },
  { client: 'SDK 2', connect: connectSdk2, ends: true },
  // Leaves its sessions behind.
  { client: 'mcp-remote', connect: connectRemote, ends: false },
] as const;

const names = ['one', 'two'] as const;

describeGateway('real clients', () => {
  const servers = new Map<string, CompleteServer>();
  beforeAll(async () => {
    for (const name of names) servers.set(name, await startCompleteServer(name));
  });
  afterAll(async () => {
    for (const server of servers.values()) await server.stop();
  });
  const gateway = useGateway(() => ({
    servers: [...servers.values()].map(({ name, url }) => ({ name, url })),
  }));
  /** What the server was told by what is done. */
  const toldBy = async (server: string, act: () => Promise<unknown>): Promise<string[]> => {
    const before = servers.get(server)?.told.length;
    await act();
    return servers.get(server)?.told.slice(before) ?? [];
  };

  describe.each(clients)('$client', ({ connect, ends }) => {
    let real: RealClient;
    beforeAll(async () => {
      real = await connect(gateway.current.url);
    });
    afterAll(() => real.close());

    it('lists all nouns of both servers', async () => {
      const { tools } = await real.client.listTools();
      const { prompts } = await real.client.listPrompts();
      const { resources } = await real.client.listResources();
      const { resourceTemplates } = await real.client.listResourceTemplates();
      for (const name of names) {
        const mine = (key: string): boolean => key.startsWith(`${name}_`) || key.startsWith(`test://${name}/`);
        expect(tools.filter((tool) => mine(tool.name))).toHaveLength(21);
        expect(prompts.filter((prompt) => mine(prompt.name))).toHaveLength(5);
        expect(resources.map(({ uri }) => uri).filter(mine)).toEqual([
          `test://${name}/static-text`,
          `test://${name}/watched-resource`,
          `test://${name}/static-binary`,
        ]);
        expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate).filter(mine)).toEqual([
          `test://${name}/template/{id}/data`,
        ]);
      }
      expect([tools, prompts, resources, resourceTemplates].map(({ length }) => length)).toEqual([42, 10, 6, 2]);
    });

    describe.each(names)('with the server %s', (name) => {
      it('calls its tool, and gets its prompt of the same name', async () => {
        expect(textOf(await real.call(`${name}_test_same_name`))).toBe(`a tool of ${name}`);
        const { messages } = await real.client.getPrompt({ name: `${name}_test_same_name` });
        expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: `a prompt of ${name}` } }]);
      });

      it('reads its resources, those of its template and those that its answers link to', async () => {
        const uris = [`test://${name}/static-text`, `test://${name}/template/a%20b/data`];
        const contents = await Promise.all(uris.map((uri) => real.client.readResource({ uri })));
        expect(contents.map(({ contents: [content] }) => content)).toEqual([
          { uri: uris[0], mimeType: 'text/plain', text: `The static text of ${name}.` },
          { uri: uris[1], mimeType: 'application/json', text: expect.stringContaining(`"of ${name}"`) as string },
        ]);
        const { content } = await real.call(`${name}_test_resource_link`);
        expect(content.map(({ uri }) => uri)).toEqual([`test://${name}/static-text`, 'https://example.com/page']);
        const embedded = await real.call(`${name}_test_embedded_resource`);
        expect(embedded.content[0]).toMatchObject({ resource: { uri: `test://${name}/embedded-resource` } });
      });

      it('completes arguments of its prompts and of its templates', async () => {
        const refs = [
          { ref: { type: 'ref/prompt', name: `${name}_test_prompt_with_arguments` }, argument: 'arg1' },
          { ref: { type: 'ref/resource', uri: `test://${name}/template/{id}/data` }, argument: 'id' },
        ] as const;
        for (const { ref, argument } of refs) {
          const { completion } = await real.client.complete({ ref, argument: { name: argument, value: 'v' } });
          expect(completion.values).toEqual(['v0', 'v1', name]);
        }
      });

      it('answers its requests for sampling, elicitation, roots and a ping', async () => {
        const prompt = `ask ${name}`;
        expect(textOf(await real.call(`${name}_test_sampling`, { prompt }))).toBe(`LLM response: ${prompt}, ${prompt}`);
        const content = JSON.stringify(persona.elicited(name).content);
        expect(textOf(await real.call(`${name}_test_elicitation`, { message: name }))).toBe(
          `User response: action=accept, content=${content}`,
        );
        expect(textOf(await real.call(`${name}_test_url_elicitation`))).toBe('action=accept');
        expect(textOf(await real.call(`${name}_test_roots`))).toBe('file:///home/ada');
        expect(textOf(await real.call(`${name}_test_ping`))).toBe('{}');
      });

      it('hears of the progress of its calls, and what it logs', async () => {
        const steps: number[] = [];
        const onprogress = ({ progress }: { progress: number }): void => void steps.push(progress);
        await real.call(`${name}_test_tool_with_progress`, {}, { onprogress });
        expect(steps).toEqual([0, 50, 100]);
        const before = real.heard.length;
        await real.call(`${name}_test_tool_with_logging`);
        const logged = real.heard.slice(before).map(({ method, params }) => [method, params?.['data']]);
        expect(logged).toEqual(
          ['started', 'processing data', 'completed'].map((what) => [
            'notifications/message',
            what === 'processing data' ? `Tool ${what}` : `Tool execution ${what}`,
          ]),
        );
      });

      it('subscribes to its resource, and hears of it under the same URI', async () => {
        const uri = `test://${name}/watched-resource`;
        const told = await toldBy(name, () => real.client.subscribeResource({ uri }));
        expect(told).toEqual(['subscribed to test://watched-resource']);
        await real.call(`${name}_test_updating`);
        expect(real.heard.at(-1)).toMatchObject({ method: 'notifications/resources/updated', params: { uri } });
        expect(await toldBy(name, () => real.client.unsubscribeResource({ uri }))).toEqual([
          'unsubscribed from test://watched-resource',
        ]);
      });

      it('cancels a call of it', async () => {
        const controller = new AbortController();
        const told = await toldBy(name, async () => {
          const told = servers.get(name)?.told ?? [];
          const called = real.call(`${name}_test_waiting`, {}, { signal: controller.signal });
          await until('the call waits', () => told.at(-1) === 'a call waits');
          controller.abort();
          await expect(called).rejects.toThrow();
          await until('the server knows', () => told.at(-1) === 'a call was cancelled');
        });
        expect(told).toEqual(['a call waits', 'a call was cancelled']);
      });
    });

    it('is asked by both servers at the same time, and each gets its own answer', async () => {
      const prompts = Array.from(
        { length: 10 },
        (_, index) => [names[index % 2] ?? 'one', `question ${index}`] as const,
      );
      const answers = await Promise.all(
        prompts.map(async ([name, prompt]) => textOf(await real.call(`${name}_test_sampling`, { prompt }))),
      );
      expect(answers).toEqual(prompts.map(([, prompt]) => `LLM response: ${prompt}, ${prompt}`));
    });

    it('comes back to a stream that its server ended before the answer', async () => {
      // A second may pass before it comes back.
      const called = await real.call('two_test_reconnection', {}, { timeout: 5_000 });
      expect(textOf(called)).toBe('The answer is sent to the client that comes back.');
    });

    it('sets the log level of both servers, and tells both that its roots have changed', async () => {
      for (const name of names) {
        expect(await toldBy(name, () => real.client.setLoggingLevel('warning'))).toEqual(['log level warning']);
      }
      await real.client.setLoggingLevel('debug');
      const before = names.map((name) => servers.get(name)?.told.length ?? 0);
      await real.client.sendRootsListChanged();
      await until('both servers know', () =>
        names.every((name, index) => servers.get(name)?.told[before[index] ?? 0] === 'roots changed'),
      );
    });

    if (!ends) return;
    it('ends its session with both servers', async () => {
      const open = names.map((name) => servers.get(name)?.sessions.size ?? 0);
      const other = await connect(gateway.current.url);
      await other.call('one_test_simple_text');
      await other.close();
      await until('the sessions have ended', () =>
        names.every((name, index) => servers.get(name)?.sessions.size === open[index]),
      );
    });
  });
});
