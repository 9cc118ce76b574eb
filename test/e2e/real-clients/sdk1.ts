import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { type Called, type RealClient, persona, promptOf } from './client.ts';

/** The client of version 1 of the MCP TypeScript SDK. */
export async function connectSdk1(url: string): Promise<RealClient> {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  return converse(transport, () => transport.terminateSession());
}

/** @param end what ends the session before the connection */
export async function converse(transport: Transport, end: () => Promise<void>): Promise<RealClient> {
  const client = new Client(persona.info, { capabilities: persona.capabilities });
  const heard: RealClient['heard'][number][] = [];
  client.fallbackNotificationHandler = (notification) => {
    heard.push(notification);
    return Promise.resolve();
  };
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => persona.completion(promptOf(params)));
  client.setRequestHandler(ElicitRequestSchema, ({ params }) =>
    'requestedSchema' in params && 'username' in params.requestedSchema.properties
      ? persona.elicited(params.message)
      : { action: 'accept', ...('requestedSchema' in params && { content: {} }) },
  );
  client.setRequestHandler(ListRootsRequestSchema, () => persona.roots);
  await client.connect(transport);
  return {
    client,
    heard,
    call: async (name, args = {}, options = {}) => {
      const { content, isError = false } = (await client.callTool({ name, arguments: args }, undefined, options)) as {
        content: Called['content'];
        isError?: boolean;
      };
      return { content, isError };
    },
    close: async () => {
      await end();
      await client.close();
    },
  };
}
