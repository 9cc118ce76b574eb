// A conversation of @ai-sdk/mcp with a gateway: `node ai-sdk.mjs URL` prints what it got, in JSON.
import { ElicitationRequestSchema, createMCPClient } from '@ai-sdk/mcp';

const client = await createMCPClient({
  transport: { type: 'http', url: process.argv[2] },
  capabilities: { elicitation: {} },
});
client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => ({
  action: 'accept',
  content: { username: params.message, email: 'ada@example.com' },
}));
const tools = await client.tools();
const call = async (name, args) => {
  const { content } = await tools[name].execute(args, { messages: [], toolCallId: '1' });
  return content[0].text;
};
const complete = async (ref, argument) => {
  const { completion } = await client.complete({ ref, argument: { name: argument, value: 'v' } });
  return completion.values;
};
const got = { tools: Object.keys(tools) };
got.prompts = (await client.listPrompts()).prompts.map(({ name }) => name);
got.resources = (await client.listResources()).resources.map(({ uri }) => uri);
got.templates = (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate);
for (const name of ['one', 'two']) {
  const prompt = await client.getPrompt({ name: `${name}_test_same_name` });
  const read = await client.readResource({ uri: `test://${name}/static-text` });
  got[name] = {
    called: await call(`${name}_test_same_name`, {}),
    prompt: prompt.messages[0].content.text,
    read: read.contents[0].text,
    completed: [
      await complete({ type: 'ref/prompt', name: `${name}_test_prompt_with_arguments` }, 'arg1'),
      await complete({ type: 'ref/resource', uri: `test://${name}/template/{id}/data` }, 'id'),
    ],
    elicited: await call(`${name}_test_elicitation`, { message: name }),
  };
}
await client.close();
process.stdout.write(JSON.stringify(got));
