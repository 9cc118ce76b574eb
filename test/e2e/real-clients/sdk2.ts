import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { type RealClient, persona, promptOf } from './client.ts';

/** The client of version 2 of the MCP TypeScript SDK, in its default mode: that of sessions. */
export async function connectSdk2(url: string): Promise<RealClient> {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  const client = new Client(persona.info, { capabilities: persona.capabilities });
  const heard: RealClient['heard'][number][] = [];
  client.fallbackNotificationHandler = (notification) => {
    heard.push(notification);
    return Promise.resolve();
  };
  client.setRequestHandler('sampling/createMessage', ({ params }) => persona.completion(promptOf(params)));
  client.setRequestHandler('elicitation/create', ({ params }) =>
    'requestedSchema' in params && 'username' in params.requestedSchema.properties
      ? persona.elicited(params.message)
      : { action: 'accept', ...('requestedSchema' in params && { content: {} }) },
  );
  client.setRequestHandler('roots/list', () => ({ roots: [...persona.roots.roots] }));
  await client.connect(transport);
  return {
    client,
    heard,
    call: async (name, args = {}, options = {}) => {
      const { content, isError = false } = await client.callTool({ name, arguments: args }, options);
      return { content: content, isError };
    },
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}
