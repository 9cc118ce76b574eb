// Resources: of text, of bytes, of a template, and one that can be watched.
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { onePixel } from './samples.ts';

export const watched = 'test://watched-resource';

/** @param told is told of subscriptions */
export function registerResources(mcp: McpServer, name: string, told: (what: string) => void): void {
  const texts = {
    'static-text': `The static text of ${name}.`,
    'watched-resource': `The watched resource of ${name}.`,
  };
  for (const [resource, text] of Object.entries(texts)) {
    mcp.registerResource(resource, `test://${resource}`, { mimeType: 'text/plain' }, ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text }],
    }));
  }
  mcp.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png' }, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'image/png', blob: onePixel }],
  }));
  const template = new ResourceTemplate('test://template/{id}/data', {
    list: undefined,
    complete: { id: (value) => [`${value}0`, `${value}1`, name] },
  });
  mcp.registerResource('template', template, { mimeType: 'application/json' }, ({ href }, { id }) => ({
    contents: [
      { uri: href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `of ${name}` }) },
    ],
  }));
  mcp.server.registerCapabilities({ resources: { subscribe: true } });
  mcp.server.setRequestHandler('resources/subscribe', ({ params }) => {
    told(`subscribed to ${params.uri}`);
    return {};
  });
  mcp.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    told(`unsubscribed from ${params.uri}`);
    return {};
  });
}
