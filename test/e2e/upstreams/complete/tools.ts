// Tools for each kind of content, and for each thing that a server may ask or tell its client in the middle of a call.
import { setTimeout as sleep } from 'node:timers/promises';
import { type CallToolResult, type McpServer, type ServerContext, fromJsonSchema } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { onePixel, silence } from './samples.ts';
import { watched } from './resources.ts';

const pause = 50;

const text = (said: string): CallToolResult => ({ content: [{ type: 'text', text: said }] });
const plainText = (said: string) => ({ type: 'text', text: said }) as const;
const resource = (uri: string, mimeType: string, said: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text: said } }) as const;

/** Those that the official suite names first, those of our own tests last. @param told is told what happened in a call */
export function registerTools(mcp: McpServer, name: string, told: (what: string) => void): void {
  registerContents(mcp);
  registerNotifying(mcp);
  registerAsking(mcp);
  mcp.registerTool('test_error_handling', { description: 'Fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  mcp.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has an input schema with the vocabulary of 2020-12.', inputSchema: fromJsonSchema(vocabulary) },
    () => text('valid'),
  );
  // A prompt has the same name.
  mcp.registerTool('test_same_name', { description: 'Says which server it is of.' }, () => text(`a tool of ${name}`));
  mcp.registerTool('test_waiting', { description: 'Ends when it is cancelled.' }, async ({ mcpReq }) => {
    told('a call waits');
    const cancelled = new Promise((resolve) => {
      mcpReq.signal.addEventListener('abort', resolve, { once: true });
    });
    await cancelled;
    told('a call was cancelled');
    return text('nobody reads this');
  });
}

function registerContents(mcp: McpServer): void {
  const image = { type: 'image', data: onePixel, mimeType: 'image/png' } as const;
  const contents: Record<string, CallToolResult['content']> = {
    test_simple_text: [plainText('This is a simple text response for testing.')],
    test_image_content: [image],
    test_audio_content: [{ type: 'audio', data: silence, mimeType: 'audio/wav' }],
    test_embedded_resource: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource.')],
    test_multiple_content_types: [
      plainText('Multiple content types test:'),
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
    test_resource_link: [
      { type: 'resource_link', uri: 'test://static-text', name: 'static-text' },
      { type: 'resource_link', uri: 'https://example.com/page', name: 'page' },
    ],
  };
  for (const [tool, content] of Object.entries(contents)) {
    mcp.registerTool(tool, { description: 'Returns content that is always the same.' }, () => ({ content }));
  }
}

/** Those that tell their client something before they return. */
function registerNotifying(mcp: McpServer): void {
  mcp.registerTool('test_tool_with_logging', { description: 'Logs three times.' }, async ({ mcpReq }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
      await sleep(pause);
    }
    return text('logged');
  });
  mcp.registerTool('test_tool_with_progress', { description: 'Reports progress three times.' }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
      await mcpReq.notify({ method: 'notifications/progress', params });
      await sleep(pause);
    }
    return text(JSON.stringify(progressToken));
  });
  mcp.registerTool('test_updating', { description: 'Says that the watched resource changed.' }, async ({ mcpReq }) => {
    await mcpReq.notify({ method: 'notifications/resources/updated', params: { uri: watched } });
    return text('updated');
  });
  mcp.registerTool('test_reconnection', { description: 'Ends its stream before its answer.' }, async ({ http }) => {
    http?.closeSSE?.();
    await sleep(2 * pause);
    return text('The answer is sent to the client that comes back.');
  });
}

/** Those that ask their client something, and return what it answered. */
function registerAsking(mcp: McpServer): void {
  mcp.registerTool(
    'test_sampling',
    { description: 'Asks for a completion.', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const messages = [{ role: 'user' as const, content: plainText(prompt) }];
      const { content } = await mcpReq.send({
        method: 'sampling/createMessage',
        params: { messages, maxTokens: 100 },
      });
      return text(`LLM response: ${'text' in content ? content.text : JSON.stringify(content)}`);
    },
  );
  mcp.registerTool(
    'test_elicitation',
    { description: 'Asks its user.', inputSchema: z.object({ message: z.string() }) },
    async ({ message }, { mcpReq }) =>
      text(
        `User response: ${await elicit(mcpReq, message, {
          type: 'object',
          properties: { username: { type: 'string' }, email: { type: 'string' } },
          required: ['username', 'email'],
        })}`,
      ),
  );
  mcp.registerTool('test_elicitation_sep1034_defaults', { description: 'Asks with defaults.' }, async ({ mcpReq }) =>
    text(`Elicitation completed: ${await elicit(mcpReq, 'Are the defaults right?', defaults)}`),
  );
  mcp.registerTool('test_elicitation_sep1330_enums', { description: 'Asks with choices.' }, async ({ mcpReq }) =>
    text(`Elicitation completed: ${await elicit(mcpReq, 'Which ones?', choices)}`),
  );
  mcp.registerTool('test_url_elicitation', { description: 'Asks its user to open a page.' }, async ({ mcpReq }) => {
    const params = {
      mode: 'url' as const,
      message: 'Open this',
      url: 'https://example.com/form',
      elicitationId: 'e-1',
    };
    const { action } = await mcpReq.send({ method: 'elicitation/create', params });
    return text(`action=${action}`);
  });
  mcp.registerTool('test_roots', { description: 'Asks for the roots.' }, async ({ mcpReq }) => {
    const { roots } = await mcpReq.send({ method: 'roots/list' });
    return text(roots.map(({ uri }) => uri).join(' '));
  });
  mcp.registerTool('test_ping', { description: 'Pings its client.' }, async ({ mcpReq }) =>
    text(JSON.stringify(await mcpReq.send({ method: 'ping' }))),
  );
}

async function elicit(mcpReq: ServerContext['mcpReq'], message: string, schema: Schema): Promise<string> {
  const { action, content = {} } = await mcpReq.send({
    method: 'elicitation/create',
    params: { message, requestedSchema: schema },
  });
  return `action=${action}, content=${JSON.stringify(content)}`;
}

type Schema = Extract<
  Parameters<ServerContext['mcpReq']['elicitInput']>[0],
  { requestedSchema: unknown }
>['requestedSchema'];

const defaults: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const titled = ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${index + 1}`, title }));
const options = ['option1', 'option2', 'option3'];
const choices: Schema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
};

const vocabulary = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
