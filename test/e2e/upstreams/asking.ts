// A real MCP server that asks its client: sampling, elicitation, roots and ping in the middle of a call.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CreateMessageResultSchema,
  ElicitResultSchema,
  EmptyResultSchema,
  ListRootsResultSchema,
  RootsListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type SdkServer, startSdkServer } from './sdk.ts';

export interface AskingServer extends Pick<SdkServer, 'url' | 'port' | 'sessions' | 'stop'> {
  /** How often a client said that its roots have changed. */
  readonly rootsChanges: number;
  /** What clients declared, in the order of their sessions. */
  readonly declared: readonly unknown[];
}

/** Every tool returns, as text, what the client answered. */
export async function startAskingServer(name: string): Promise<AskingServer> {
  let rootsChanges = 0;
  const declared: unknown[] = [];
  const text = (said: unknown): { content: [{ type: 'text'; text: string }] } => ({
    content: [{ type: 'text', text: JSON.stringify({ server: name, said }) }],
  });
  const server = (): McpServer => {
    const mcp = new McpServer({ name, version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
    mcp.server.oninitialized = () => declared.push(mcp.server.getClientCapabilities());
    mcp.server.setNotificationHandler(RootsListChangedNotificationSchema, () => {
      rootsChanges++;
    });
    mcp.registerTool('sample', { inputSchema: { prompt: z.string() } }, async ({ prompt }, { sendRequest }) => {
      const progress: number[] = [];
      const message = { role: 'user' as const, content: { type: 'text' as const, text: prompt } };
      const sampled = await sendRequest(
        { method: 'sampling/createMessage', params: { messages: [message], maxTokens: 10 } },
        CreateMessageResultSchema,
        { onprogress: (step) => progress.push(step.progress) },
      );
      return text({ content: sampled.content, progress });
    });
    mcp.registerTool('elicit', { inputSchema: { message: z.string() } }, async ({ message }, { sendRequest }) => {
      const requestedSchema = { type: 'object' as const, properties: { answer: { type: 'string' as const } } };
      const params = { message, requestedSchema };
      return text(await sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema));
    });
    mcp.registerTool('roots', {}, async ({ sendRequest }) =>
      text((await sendRequest({ method: 'roots/list' }, ListRootsResultSchema)).roots),
    );
    mcp.registerTool('ping', {}, async ({ sendRequest }) =>
      text(await sendRequest({ method: 'ping' }, EmptyResultSchema)),
    );
    // In the stream of the session, which belongs to no call.
    mcp.registerTool('change', {}, () => {
      mcp.sendToolListChanged();
      return text('changed');
    });
    return mcp;
  };
  const running = await startSdkServer({ name, server });
  return {
    url: running.url,
    port: running.port,
    get sessions() {
      return running.sessions;
    },
    stop: () => running.stop(),
    get rootsChanges() {
      return rootsChanges;
    },
    declared,
  };
}
