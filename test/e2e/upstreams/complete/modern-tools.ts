// Tools and a prompt of revision 2026-07-28: they ask by answering that they need input (MRTR), and take the answers with
// the same request once more. Names and texts are those that the official suite asks a server for.
import { randomBytes } from 'node:crypto';
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequest,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
  type ServerNotifier,
  acceptedContent,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

const text = (said: string): CallToolResult => ({ content: [{ type: 'text', text: said }] });

/** Sealed states of all servers of this process: one server takes only its own. */
export function stateCodec() {
  return createRequestStateCodec<{ readonly step: number }>({ key: randomBytes(32) });
}

/** The same of arguments of every type that may be, and within each other. */
const mirroredTypes = {
  type: 'object',
  properties: {
    text: { type: 'string', 'x-mcp-header': 'Text' },
    count: { type: 'integer', 'x-mcp-header': 'COUNT' },
    flag: { type: 'boolean', 'x-mcp-header': 'flag' },
    where: { type: 'object', properties: { 'a/b': { type: 'string', 'x-mcp-header': 'Where.Deep' } } },
    other: { type: 'string' },
  },
} as Parameters<typeof fromJsonSchema>[0];

/** An input schema of which a header repeats an argument. */
const mirrored = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
} as Parameters<typeof fromJsonSchema>[0];

type Answer = CallToolResult | InputRequiredResult;
type Codec = ReturnType<typeof stateCodec>;

const string = (name: string) => ({
  type: 'object' as const,
  properties: { [name]: { type: 'string' as const } },
  required: [name],
});

const ask = (message: string, name: string): InputRequest =>
  inputRequired.elicit({ message, requestedSchema: string(name) });
const sample = (prompt: string): InputRequest =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens: 100,
  });

function capabilitiesIn({ envelope = {} }: ServerContext['mcpReq']): ClientCapabilities {
  return (envelope as Record<string, ClientCapabilities>)[CLIENT_CAPABILITIES_META_KEY] ?? {};
}

function hasLogLevel({ envelope = {} }: ServerContext['mcpReq']): boolean {
  return 'io.modelcontextprotocol/logLevel' in envelope;
}

/** @param notifier tells those who listen */
export function registerModernTools(mcp: McpServer, codec: Codec, notifier: () => ServerNotifier): void {
  const tool = (name: string, run: (context: ServerContext) => Promise<Answer> | Answer): void => {
    mcp.registerTool(name, { description: 'Of revision 2026-07-28.' }, run);
  };
  const answers = ({ mcpReq }: ServerContext) => mcpReq.inputResponses ?? {};

  // Asking for what the client did not declare is an error of the SDK's own.
  tool('test_missing_capability', () => inputRequired({ inputRequests: { answer: sample('Anything?') } }));
  tool('test_trigger_tool_change', () => {
    notifier().toolsChanged();
    return text('told');
  });
  tool('test_trigger_prompt_change', () => {
    notifier().promptsChanged();
    return text('told');
  });
  tool('test_streaming_elicitation', async ({ mcpReq }) => {
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } });
    return inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } });
  });
  tool('test_logging_tool', async ({ mcpReq }) => {
    if (hasLogLevel(mcpReq))
      await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data: 'logged' } });
    return text('logged');
  });
  tool('test_input_required_result_elicitation', (context) => {
    const answered = acceptedContent(answers(context), 'user_name', z.object({ name: z.string() }));
    if (answered === undefined)
      return inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } });
    return text(`Hello, ${answered.name}!`);
  });
  tool('test_input_required_result_sampling', (context) =>
    'capital_question' in answers(context)
      ? text(JSON.stringify(answers(context)['capital_question']))
      : inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } }),
  );
  tool('test_input_required_result_list_roots', (context) =>
    'client_roots' in answers(context)
      ? text(JSON.stringify(answers(context)['client_roots']))
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }),
  );
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    tool(name, async (context) =>
      context.mcpReq.requestState() === undefined
        ? inputRequired({
            inputRequests: {
              confirm: inputRequired.elicit({
                message: 'Please confirm',
                requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
              }),
            },
            requestState: await codec.mint({ step: 1 }),
          })
        : text('state-ok'),
    );
  }
  tool('test_input_required_result_multiple_inputs', async (context) =>
    Object.keys(answers(context)).length >= 3
      ? text('all are there')
      : inputRequired({
          inputRequests: {
            user_name: ask('What is your name?', 'name'),
            greeting: sample('Generate a greeting'),
            client_roots: inputRequired.listRoots(),
          },
          requestState: await codec.mint({ step: 1 }),
        }),
  );
  tool('test_input_required_result_multi_round', async ({ mcpReq }) => {
    const step = mcpReq.requestState<{ step: number }>()?.step ?? 0;
    if (step === 2) return text('three rounds');
    const [key, question, name] =
      step === 0
        ? ['step1', 'Step 1: What is your name?', 'name']
        : ['step2', 'Step 2: What is your favorite color?', 'color'];
    return inputRequired({
      inputRequests: { [key]: ask(question, name) },
      requestState: await codec.mint({ step: step + 1 }),
    });
  });
  tool('test_input_required_result_capabilities', ({ mcpReq }) => {
    const { elicitation, sampling } = capabilitiesIn(mcpReq);
    const inputRequests = {
      ...(elicitation !== undefined && { user_name: ask('What is your name?', 'name') }),
      ...(sampling !== undefined && { greeting: sample('Generate a greeting') }),
    };
    return Object.keys(inputRequests).length === 0 ? text('nothing to ask for') : inputRequired({ inputRequests });
  });
  mcp.registerTool(
    'test_x_mcp_header',
    {
      description: 'Has an argument that a header repeats.',
      inputSchema: fromJsonSchema(mirrored),
    },
    (args) => text(JSON.stringify(args)),
  );
  mcp.registerTool(
    'test_mirrored_types',
    { description: 'Has arguments of all types that headers repeat.', inputSchema: fromJsonSchema(mirroredTypes) },
    (args) => text(JSON.stringify(args)),
  );
  mcp.registerPrompt('test_input_required_result_prompt', { description: 'Asks first.' }, (context) => {
    const answered = acceptedContent(answers(context), 'user_context', z.object({ context: z.string() }));
    if (answered === undefined)
      return inputRequired({
        inputRequests: { user_context: ask('What context should the prompt use?', 'context') },
      });
    return { messages: [{ role: 'user', content: { type: 'text', text: answered.context } }] };
  });
}
