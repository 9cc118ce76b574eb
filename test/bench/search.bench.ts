import { bench, describe } from 'vitest';
import { instance } from '../core/core.ts';

/** A hundred searches a sample: ten times the milliseconds that are reported are microseconds per search. */
const SEARCHES = 100;

const core = instance();
core.call('mergeOpen');
for (let server = 0; server < 10; server++) {
  core.call('mergeServer', ...core.span(`server-${server}_`));
  const tools = Array.from({ length: 100 }, (_, index) => ({
    name: `get_record_${index}`,
    description: 'Returns one record of the archive by its number, with everything that is known about it.',
    inputSchema: {
      type: 'object',
      properties: { number: { type: 'integer', description: 'Of the record' }, full: { type: 'boolean' } },
      required: ['number'],
    },
    annotations: { title: `Record ${index}`, readOnlyHint: true },
  }));
  core.call('mergePage', ...core.span(JSON.stringify({ id: '1', result: { tools } })));
}

describe(`a search over 10 × 100 tools × ${SEARCHES}`, () => {
  for (const [what, query, total] of [
    ['one word that few have', '55', 10],
    ['three words that all have', 'record of archive', 1000],
    ['sixteen words', 'a b c d e f g h i j k l m n o record', 1000],
  ] as const) {
    const [at, length] = core.span(query);
    if (core.call('mergeSearch', at, length, 1) !== total) throw new Error(what);
    bench(what, () => {
      core.call('mergeSearch', at, length, SEARCHES);
    });
  }
});
