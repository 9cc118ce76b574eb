import { bench } from 'vitest';
import { instance } from '../core/core.ts';

const MEGABYTE = 1_000_000;
const core = instance();

/** About a megabyte of results, as parts of a JSON text. */
function result(block: (i: number) => unknown): string {
  const count = Math.ceil(MEGABYTE / JSON.stringify(block(1000)).length);
  return JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    result: { content: Array.from({ length: count }, (_, i) => block(i)) },
  });
}

const work: readonly (readonly [string, string])[] = [
  ['one long text', result(() => ({ type: 'text', text: 'a word after a word '.repeat(50_000) }))],
  ['texts of 1 KB', result((i) => ({ type: 'text', text: `${i}: ${'a word after a word '.repeat(50)}` }))],
  [
    'links to resources',
    result((i) => ({
      type: 'resource_link',
      uri: `file:///repo/${i}`,
      name: `file ${i}`,
      description: 'A file of the repository',
      mimeType: 'text/plain',
    })),
  ],
  [
    'links with annotations',
    result((i) => ({
      type: 'resource_link',
      uri: `file:///repo/${i}`,
      name: `file ${i}`,
      annotations: { audience: ['user'], priority: 1 },
    })),
  ],
  [
    'links with annotations and names that are not of ASCII',
    result((i) => ({
      type: 'resource_link',
      uri: `file:///repo/${i}`,
      name: `größe ${i}`,
      description: 'Übersicht über die Größe',
      mimeType: 'text/plain',
      annotations: { audience: ['user'], priority: 0.5 },
    })),
  ],
  [
    'resources of 4 KB',
    result((i) => ({
      type: 'resource',
      resource: { uri: `file:///repo/${i}`, mimeType: 'text/plain', text: 'a line of it\\n'.repeat(300) },
    })),
  ],
];

for (const [what, text] of work) {
  for (const type of ['json', 'events'] as const) {
    const body = type === 'events' ? `data: ${text}\n\n` : text;
    const bytes = core.span(body);
    bench(`rewrite ${(body.length / MEGABYTE).toFixed(2)} MB of ${what} (${type})`, () => {
      core.call('rewriterOpen', Number(type === 'events'), ...core.span('git'), 1, 1, 1 << 24);
      core.call('rewriterRepeat', ...bytes, 1);
    });
  }
}
