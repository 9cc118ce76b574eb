import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import { http2Fetch } from './http2-fetch.ts';
import type { Http } from './raw.ts';

export interface SdkClient {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  readonly close: () => Promise<void>;
}

/** The MCP TypeScript SDK's own client, connected. */
export async function connectSdk(url: string, http: Http, capabilities: ClientCapabilities = {}): Promise<SdkClient> {
  const over2 = http === 'HTTP/2' ? http2Fetch(new URL(url).origin) : undefined;
  const client = new Client({ name: 'sdk-client', version: '1' }, { capabilities });
  const transport = new StreamableHTTPClientTransport(new URL(url), over2 === undefined ? {} : { fetch: over2.fetch });
  await client.connect(transport);
  return {
    client,
    transport,
    close: async () => {
      await client.close();
      over2?.close();
    },
  };
}
