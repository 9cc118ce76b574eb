// The Inspector's command line, which is a process for each request, and @ai-sdk/mcp. In `npm test` the Inspector uses one of
// the two servers, in `npm run test:matrix` both.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engine } from '../../engine.ts';
import { useGateway } from '../../gateway.ts';
import { proofTimeout, scaled } from '../../proof/scale.ts';
import { until } from '../../until.ts';
import { type CompleteServer, startCompleteServer } from '../../upstreams/complete/server.ts';
import { areInstalled, converseWithAiSdk, inspect } from './clients.ts';

const names = ['one', 'two'] as const;
const uris = names.flatMap((name) =>
  ['static-text', 'watched-resource', 'static-binary'].map((resource) => `test://${name}/${resource}`),
);
const templates = names.map((name) => `test://${name}/template/{id}/data`);

describe.runIf(engine !== undefined && areInstalled)('clients that npm installs', () => {
  const servers: CompleteServer[] = [];
  beforeAll(async () => {
    for (const name of names) servers.push(await startCompleteServer(name));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const gateway = useGateway(() => ({ servers: servers.map(({ name, url }) => ({ name, url })) }));

  it(
    'the Inspector lists, calls, gets and reads',
    async () => {
      const { url } = gateway.current;
      const listed = async (method: string, member: string, key: string): Promise<unknown[]> => {
        const result = (await inspect(url, '--method', method)) as Record<string, Record<string, unknown>[]>;
        return (result[member] ?? []).map((entry) => entry[key]);
      };
      expect(await listed('tools/list', 'tools', 'name')).toHaveLength(42);
      expect(await listed('prompts/list', 'prompts', 'name')).toHaveLength(10);
      expect(await listed('resources/list', 'resources', 'uri')).toEqual(uris);
      expect(await listed('resources/templates/list', 'resourceTemplates', 'uriTemplate')).toEqual(templates);
      for (const name of names.slice(0, scaled(1, 2))) {
        const same = `${name}_test_same_name`;
        expect(await inspect(url, '--method', 'tools/call', '--tool-name', same)).toEqual({
          content: [{ type: 'text', text: `a tool of ${name}` }],
        });
        expect(await inspect(url, '--method', 'prompts/get', '--prompt-name', same)).toMatchObject({
          messages: [{ content: { text: `a prompt of ${name}` } }],
        });
        expect(await inspect(url, '--method', 'resources/read', '--uri', `test://${name}/static-text`)).toMatchObject({
          contents: [{ text: `The static text of ${name}.` }],
        });
      }
      await inspect(url, '--method', 'logging/setLevel', '--log-level', 'warning');
      for (const { told } of servers) expect(told).toContain('log level warning');
    },
    proofTimeout,
  );

  it(
    '@ai-sdk/mcp lists, calls, gets, reads, completes, answers, and ends its session',
    async () => {
      const before = servers.map(({ sessions }) => sessions.size);
      const got = (await converseWithAiSdk(gateway.current.url)) as Record<string, unknown>;
      expect(got['tools']).toHaveLength(42);
      expect(got['prompts']).toHaveLength(10);
      expect(got).toMatchObject({ resources: uris, templates });
      for (const name of names) {
        expect(got[name]).toEqual({
          called: `a tool of ${name}`,
          prompt: `a prompt of ${name}`,
          read: `The static text of ${name}.`,
          completed: [
            ['v0', 'v1', name],
            ['v0', 'v1', name],
          ],
          elicited: `User response: action=accept, content={"username":"${name}","email":"ada@example.com"}`,
        });
      }
      await until('its sessions have ended', () =>
        servers.every(({ sessions }, index) => sessions.size === before[index]),
      );
    },
    proofTimeout,
  );
});
