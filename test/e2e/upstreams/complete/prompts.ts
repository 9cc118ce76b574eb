// Prompts: with and without arguments, with a resource and with an image.
import { type McpServer, completable } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { onePixel } from './samples.ts';

const user = (text: string) => ({ role: 'user', content: { type: 'text', text } }) as const;

export function registerPrompts(mcp: McpServer, name: string): void {
  mcp.registerPrompt('test_simple_prompt', { description: 'Always the same.' }, () => ({
    messages: [user('This is a simple prompt for testing.')],
  }));
  // A tool has the same name.
  mcp.registerPrompt('test_same_name', { description: 'Says which server it is of.' }, () => ({
    messages: [user(`a prompt of ${name}`)],
  }));
  mcp.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Repeats its arguments.',
      argsSchema: z.object({
        arg1: completable(z.string(), (value) => [`${value}0`, `${value}1`, name]),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => ({ messages: [user(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  mcp.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Has a resource in it.', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => ({
      messages: [
        { role: 'user', content: { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded.' } } },
        user('Please process the embedded resource above.'),
      ],
    }),
  );
  mcp.registerPrompt('test_prompt_with_image', { description: 'Has an image in it.' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: onePixel, mimeType: 'image/png' } },
      user('Please analyze the image above.'),
    ],
  }));
}
