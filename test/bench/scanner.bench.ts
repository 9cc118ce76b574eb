import { bench } from 'vitest';
import { instance } from '../core/core.ts';

/** A thousand calls a sample: the milliseconds that are reported are microseconds per call. */
const CALLS = 1000;
const MEGABYTE = 1_000_000;
const core = instance();

/** A page of tools/list of about `size` bytes, as servers send it: short strings and schemas three levels deep. */
function toolsList(size: number): string {
  const tool = (i: number) => ({
    name: `get_forecast_${i}`,
    description: `Returns the forecast for a place and a day, in metric or imperial units (${i}).`,
    inputSchema: {
      type: 'object',
      properties: {
        place: { type: 'string', description: 'A city' },
        days: { type: 'integer', minimum: 1, maximum: 14 },
      },
      required: ['place'],
    },
    annotations: { readOnlyHint: true },
  });
  const count = Math.floor(size / JSON.stringify(tool(1000)).length);
  const tools = Array.from({ length: count }, (_, i) => tool(i));
  return JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools } });
}

function call(size: number): string {
  const message = (text: string) => ({
    jsonrpc: '2.0',
    id: 17,
    method: 'tools/call',
    params: {
      name: 'weather_get_forecast',
      arguments: { place: 'Kyjiw', days: 3, note: text },
      _meta: { progressToken: 17 },
    },
  });
  return JSON.stringify(message('x'.repeat(size - JSON.stringify(message('')).length)));
}

const list = toolsList(MEGABYTE);
const listSpan = core.span(list);
const listLength = (listSpan[1] / MEGABYTE).toFixed(2);

bench(`tools/list of ${listLength} MB: is it JSON`, () => {
  if (core.call('readerIsJson', ...listSpan) !== 1) throw new Error('refused');
});

bench(`tools/list of ${listLength} MB: find its tools`, () => {
  core.call('pageRead', ...listSpan);
  if (core.call('pageCount') === 0) throw new Error('no tools');
});

bench(`tools/list of ${listLength} MB: JSON.parse, for comparison`, () => {
  JSON.parse(list);
});

for (const size of [300, 1000, 10_000]) {
  const body = core.span(call(size));
  bench(`read a call of ${size} B × ${CALLS}`, () => {
    for (let i = 0; i < CALLS; i++) {
      core.call('envelopeOpen');
      core.call('envelopeRead', ...body);
      core.call('envelopeEnd', ...body);
    }
    if (core.call('envelopeShape') !== 1) throw new Error('not a request');
  });
}
