// Tools that name the resource which shows their results (MCP Apps), of servers made with the MCP TypeScript SDK: what a
// client finds in a tool, it can read.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { connectModern } from './stateless-era.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const page = 'ui://form/page.html';
/** The forms in which tools name it. */
const links = {
  now: { ui: { resourceUri: page, visibility: ['model', 'app'] }, 'example.org/other': page },
  before: { 'ui/resourceUri': page },
  elsewhere: { 'openai/outputTemplate': page, ui: { resourceUri: page } },
  web: { ui: { resourceUri: 'https://example.org/page' } },
};

function appServer(name: string): McpServer {
  const mcp = new McpServer({ name, version: '1' });
  for (const [tool, _meta] of Object.entries(links)) mcp.registerTool(tool, { _meta }, () => ({ content: [] }));
  mcp.registerResource('page', page, {}, ({ href }) => ({ contents: [{ uri: href, text: `the page of ${name}` }] }));
  return mcp;
}

/** What a client of either version of the SDK can do. */
interface AppClient {
  listTools(): Promise<{ tools: { name: string; _meta?: unknown }[] }>;
  readResource(params: { uri: string }): Promise<{ contents: unknown[] }>;
  close(): Promise<void>;
}

async function connectSession(url: string): Promise<AppClient> {
  const client = new Client({ name: 'app-client', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

const connectStateless = (url: string): Promise<AppClient> => connectModern(url);

describeGateway('links of tools to their pages', () => {
  let servers: SdkServer[];
  beforeAll(async () => {
    servers = await Promise.all(['one', 'two'].map((name) => startSdkServer({ name, server: () => appServer(name) })));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  const both = useGateway(() => ({
    servers: servers.map(({ url }, index) => ({ name: ['one', 'two'][index] ?? '', url })),
    plugin: { overrides: [{ tool: 'two_now', name: 'shown', title: 'Shown' }] },
  }));
  const alone = useGateway(() => ({ servers: [{ name: 'one', url: servers[0]?.url ?? '' }] }));

  it.each([
    ['a session', connectSession],
    ['2026-07-28', connectStateless],
  ])('tell their server to a client of %s', async (_, connect) => {
    const client = await connect(both.current.url);
    const { tools } = await client.listTools();
    const found = Object.fromEntries(tools.map(({ name, _meta }) => [name, _meta]));
    const marked = (server: string): object => JSON.parse(
      JSON.stringify(links).replaceAll('ui://', `ui://${server}/`).replace(`other":"ui://${server}/`, 'other":"ui://'),
    ) as object; // prettier-ignore
    const named = (server: string): object =>
      Object.fromEntries(Object.entries(marked(server)).map(([tool, meta]) => [`${server}_${tool}`, meta as unknown]));
    const { two_now: shown, ...others } = named('two') as Record<string, unknown>;
    expect(found).toEqual({ ...named('one'), ...others, shown });
    // A list that the gateway has read before is the same.
    expect((await client.listTools()).tools).toEqual(tools);
    for (const server of ['one', 'two']) {
      const { contents } = await client.readResource({ uri: page.replace('ui://', `ui://${server}/`) });
      expect(contents).toMatchObject([{ text: `the page of ${server}` }]);
    }
    await client.close();
  });

  it('stay as they are where there is one server', async () => {
    const client = await connectSession(alone.current.url);
    const { tools } = await client.listTools();
    expect(tools.map(({ _meta }) => _meta)).toEqual(Object.values(links));
    await client.close();
  });
});
