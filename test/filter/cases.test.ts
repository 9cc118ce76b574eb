import { expect, test } from 'vitest';
import { allCases } from './cases.ts';
import { type Arrival, type Message, run, type Seen, whole } from './scenario.ts';

test.each(allCases().map((given) => ({ ...given, given })))('$file: $title', ({ given }) => {
  const arrivals: Arrival[] = [];
  const seen = run(given, (message) => {
    arrivals.push(...otherArrivals(message));
    return whole(message);
  });
  for (const [index, exchange] of given.exchanges.entries()) {
    for (const kind of ['outcome', 'calls', 'record'] as const) {
      if (exchange.has(kind)) expect(seen[index]?.[kind]).toBe(exchange.get(kind));
    }
  }
  expect(given.exchanges.at(-1)?.has('outcome')).toBe(true);
  for (const arrival of arrivals) {
    const other = last(run(given, () => arrival));
    for (const kind of ['outcome', 'record'] as const) {
      if (other[kind] !== last(seen)[kind]) expect(shown(arrival, other[kind])).toBe(shown(arrival, last(seen)[kind]));
    }
  }
});

/** Of a large body its beginning and its end are cut at every byte. */
const EDGE = 300;

/** All other ways in which the same bytes can come: cut at every byte, one by one; the first chunk is the case's. */
function* otherArrivals({ body, mark }: Message): Generator<Arrival> {
  const first = mark === 0 ? [] : [body.subarray(0, mark)];
  const rest = body.subarray(mark);
  yield { chunks: [...first, rest], end: 'last' };
  if (mark === 0) yield { chunks: [rest], end: 'trailers' };
  for (let cut = 1; cut < rest.length; cut++) {
    if (cut === EDGE && rest.length > 2 * EDGE) cut = rest.length - EDGE;
    // Which end follows which cut does not matter; both are met by every case.
    const end = cut % 2 === 0 ? 'empty' : 'last';
    yield { chunks: [...first, rest.subarray(0, cut), rest.subarray(cut)], end };
  }
  if (rest.length > 2 * EDGE) return;
  yield { chunks: [...first, ...[...rest].map((_, at) => rest.subarray(at, at + 1))], end: 'empty' };
}

function last(seen: readonly Seen[]): Seen {
  const found = seen.at(-1);
  if (found === undefined) throw new Error('a case without a request');
  return found;
}

function shown({ chunks, end }: Arrival, text: string): string {
  return `in ${chunks.length} chunks, the first of ${chunks[0]?.length ?? 0} bytes, end ${end}:\n${text}`;
}
