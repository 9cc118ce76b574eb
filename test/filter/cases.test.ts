import { describe, expect, test } from 'vitest';
import { arrivalsInChunks, bodyOf, someArrivals } from './arrivals.ts';
import { allCases, type Case } from './cases.ts';
import { type Arrival, whole } from './messages.ts';
import { run, type Seen } from './scenario.ts';

const bodies = new Set<string>();
const cases = allCases().map((given, number) => {
  const isNew = !bodies.has(bodyOf(given));
  bodies.add(bodyOf(given));
  return { ...given, given, number, isNew };
});

test.each(cases)('$file: $title', ({ given, number, isNew }) => {
  const seen = run(given, whole);
  for (const [index, exchange] of given.exchanges.entries()) {
    for (const kind of ['outcome', 'calls', 'telemetry'] as const) {
      if (exchange.has(kind)) expect(seen[index]?.[kind]).toBe(exchange.get(kind));
    }
  }
  expect(given.exchanges.at(-1)?.has('outcome')).toBe(true);
  expectInArrivals(given, someArrivals(given, number, isNew), last(seen));
});

/** Whoever holds the body meanwhile, Envoy or the module: what comes of a request is the same, but for its framing. */
describe('without a length', () => {
  const given = cases.filter(({ given, number }) => isOfHold(given) && [...arrivalsInChunks(given, number)].length > 0);
  test.each(given)('$file: $title', ({ given, number }) => {
    const expected = last(run(given, whole));
    for (const arrival of arrivalsInChunks(given, number)) {
      const seen = last(run(given, () => arrival));
      const [outcome, other] = [withoutFraming(expected.outcome), withoutFraming(seen.outcome)];
      if (other !== outcome) expect(shown(arrival, other)).toBe(shown(arrival, outcome));
      expect(seen.telemetry).toBe(expected.telemetry);
    }
  });
});

const withoutFraming = (text: string): string => text.replaceAll(/^content-length: \d+\n/gm, '');

/** The host mode is a part of the configuration, and of the digest of it in the status. */
const withoutDigest = (text: string): string => text.replace(/"configuration":"[0-9a-f]{16}"/, '');

/** Whatever the host mode, a request is answered, sent on and counted alike. */
describe('in host mode pair', () => {
  test.each(cases.filter(({ given }) => isOfHold(given)))('$file: $title', ({ given, number }) => {
    const seen = last(run(given, whole));
    const pair = paired(given);
    const inPair = last(run(pair, whole));
    expect([withoutDigest(inPair.outcome), inPair.telemetry]).toEqual([withoutDigest(seen.outcome), seen.telemetry]);
    expectInArrivals(pair, someArrivals(pair, number), inPair);
  });
});

/** Of hold as it is usually set up: without filters of its own, and not about the first request of all. */
function isOfHold({ configuration, filters, exchanges }: Case): boolean {
  return filters === '' && !configuration.includes('"hostMode"') && exchanges.at(-1)?.has('first') !== true;
}

function paired(given: Case): Case {
  const configuration = JSON.stringify({ hostMode: 'pair', ...(JSON.parse(given.configuration) as object) });
  return { ...given, configuration };
}

function expectInArrivals(given: Case, arrivals: Iterable<Arrival>, expected: Seen): void {
  for (const arrival of arrivals) {
    const other = last(run(given, () => arrival));
    for (const kind of ['outcome', 'telemetry'] as const) {
      if (other[kind] !== expected[kind]) expect(shown(arrival, other[kind])).toBe(shown(arrival, expected[kind]));
    }
  }
}

function last(seen: readonly Seen[]): Seen {
  const found = seen.at(-1);
  if (found === undefined) throw new Error('a case without a request');
  return found;
}

function shown({ chunks, end }: Arrival, text: string): string {
  return `in ${chunks.length} chunks, the first of ${chunks[0]?.length ?? 0} bytes, end ${end}:\n${text}`;
}
