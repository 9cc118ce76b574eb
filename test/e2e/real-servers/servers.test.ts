// Real servers, made with the MCP SDKs of other languages, two of each behind one gateway. In `npm test` those of Python, in
// `npm run test:clients` the others too. Each prints `ready` when it listens, then what its clients make happen.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engine } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { unlessUnreachable } from '../installed.ts';
import { type Program, goProgram, isRunnable, pythonProgram } from '../languages/programs.ts';
import { scaled } from '../proof/scale.ts';
import { type RealClient, persona, textOf } from '../real-clients/client.ts';
import { connectSdk1 } from '../real-clients/sdk1.ts';
import { until } from '../until.ts';
import { type ServerProcess, startServer } from './process.ts';

const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const python = pythonProgram('Python mcp 2.3.0', 'mcp==2.3.0', source('server.py'));
const programs: readonly Program[] = [python, ...(scaled(0, 1) === 1 ? [goProgram(source('server.go'))] : [])];

const names = ['one', 'two'] as const;

describe.runIf(engine !== undefined).each(await Promise.all(programs.map(installed)))(
  'servers of $sdk',
  ({ command }) => {
    if (command === undefined) {
      // Why is printed by what looked for them; in CI it is an error.
      it.skip('are not here: the reason stands above, between *** and ***');
      return;
    }
    const servers = new Map<string, ServerProcess>();
    beforeAll(async () => {
      for (const name of names) servers.set(name, await startServer(command, name));
    });
    afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));
    const gateway = useGateway(() => ({ servers: [...servers].map(([name, { url }]) => ({ name, url })) }));
    let real: RealClient;
    beforeAll(async () => {
      real = await connectSdk1(gateway.current.url);
    });
    afterAll(() => real.close());

    it('list all nouns', async () => {
      const { tools } = await real.client.listTools();
      const { prompts } = await real.client.listPrompts();
      const { resources } = await real.client.listResources();
      const { resourceTemplates } = await real.client.listResourceTemplates();
      const tooling = ['elicitation', 'sampling', 'same_name', 'tool_with_logging', 'tool_with_progress', 'waiting'];
      expect(tools.map(({ name }) => name).toSorted()).toEqual(
        names.flatMap((name) => tooling.map((tool) => `${name}_test_${tool}`)).toSorted(),
      );
      expect(prompts.map(({ name }) => name)).toEqual(names.map((name) => `${name}_test_same_name`));
      expect(resources.map(({ uri }) => uri)).toEqual(names.map((name) => `test://${name}/static-text`));
      expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(
        names.map((name) => `test://${name}/template/{id}/data`),
      );
    });

    describe.each(names)('%s', (name) => {
      it('is called, gives its prompt and its resources, and completes', async () => {
        expect(textOf(await real.call(`${name}_test_same_name`))).toBe(`a tool of ${name}`);
        const { messages } = await real.client.getPrompt({ name: `${name}_test_same_name` });
        expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: `a prompt of ${name}` } }]);
        const texts = {
          [`test://${name}/static-text`]: `The static text of ${name}.`,
          [`test://${name}/template/a/data`]: `data of ${name}`,
        };
        for (const [uri, text] of Object.entries(texts)) {
          expect((await real.client.readResource({ uri })).contents).toMatchObject([{ uri, text }]);
        }
        const refs = [
          { ref: { type: 'ref/prompt', name: `${name}_test_same_name` }, argument: 'arg1' },
          { ref: { type: 'ref/resource', uri: `test://${name}/template/{id}/data` }, argument: 'id' },
        ] as const;
        for (const { ref, argument } of refs) {
          const { completion } = await real.client.complete({ ref, argument: { name: argument, value: 'v' } });
          expect(completion.values).toEqual(['v0', name]);
        }
      });

      it('reports progress and logs', async () => {
        const steps: number[] = [];
        await real.call(
          `${name}_test_tool_with_progress`,
          {},
          { onprogress: ({ progress }) => void steps.push(progress) },
        );
        expect(steps).toEqual([0, 50, 100]);
        await real.client.setLoggingLevel('debug');
        const before = real.heard.length;
        await real.call(`${name}_test_tool_with_logging`);
        expect(real.heard.slice(before)).toMatchObject(
          ['started', 'completed'].map((what) => ({
            method: 'notifications/message',
            params: { level: 'info', data: `Tool execution ${what}` },
          })),
        );
      });

      it('asks its client', async () => {
        const { username, email } = persona.elicited(name).content;
        expect(textOf(await real.call(`${name}_test_elicitation`, { message: name }))).toBe(
          `accept ${username} ${email}`,
        );
        expect(textOf(await real.call(`${name}_test_sampling`, { prompt: name }))).toBe(`${name}, ${name}`);
      });

      it('knows that a call was cancelled', async () => {
        const controller = new AbortController();
        const told = servers.get(name)?.told ?? [];
        const called = real.call(`${name}_test_waiting`, {}, { signal: controller.signal });
        await until('the call waits', () => told.at(-1) === 'a call waits');
        controller.abort();
        await expect(called).rejects.toThrow();
        await until('the server knows', () => told.at(-1) === 'a call was cancelled');
      });

      it('is another process, and its client does not notice', async () => {
        await servers.get(name)?.restart();
        expect(textOf(await real.call(`${name}_test_same_name`))).toBe(`a tool of ${name}`);
        expect(textOf(await real.call(`${name}_test_sampling`, { prompt: name }))).toBe(`${name}, ${name}`);
      });
    });
  },
);

async function installed(program: Program): Promise<{ sdk: string; command: readonly string[] | undefined }> {
  const { sdk } = program;
  if (!isRunnable(program, 'the servers of')) return { sdk, command: undefined };
  return { sdk, command: await unlessUnreachable(`The server of ${sdk}`, program.install()) };
}
