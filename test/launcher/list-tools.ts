import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/**
 * Asks a gateway as a client would: initialize, every page of tools/list, and the end of the session.
 * @param headers that go with each request
 * @returns the names of all tools, as the gateway lists them
 * @throws Error of the first step that failed
 */
export async function listTools(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const client = new Client({ name: 'sluice-start', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  const timeout = { timeout: 10_000 };
  try {
    await client.connect(transport, timeout);
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listTools(cursor === undefined ? {} : { cursor }, timeout);
      names.push(...page.tools.map((tool) => tool.name));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    await transport.terminateSession();
    return names;
  } finally {
    await client.close();
  }
}
