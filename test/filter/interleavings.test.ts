// Whatever mixes with whatever, and whoever goes away when: the module must neither trap, nor ask the host for something
// wrong, nor leave a request hanging, nor keep memory.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Gateway, startHost, startPair } from './gateway.ts';
import { events, LIMITS, Traffic } from './traffic.ts';

const plugin = { limits: LIMITS };
const gateways = [
  { what: 'hold', start: (): Gateway => startHost(plugin) },
  { what: 'pair', start: (): Gateway => startPair(plugin) },
  { what: 'pair, another filter between', start: (): Gateway => startPair(plugin, { waits: true }) },
  { what: 'pair, in two VMs', start: (): Gateway => startPair(plugin, { apart: true }) },
  {
    what: 'pair, in two VMs, another filter between',
    start: (): Gateway => startPair(plugin, { apart: true, waits: true }),
  },
];

describe.each(gateways)('in host mode $what', ({ start }) => {
  test('callbacks mix in any order', () => {
    // One VM for all runs, as in Envoy: what one request breaks, a later one meets.
    const traffic = new Traffic(start());
    fc.assert(
      fc.property(events, (all) => {
        for (const event of all) traffic.take(event);
        expect(traffic.end()).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('the memory of ended requests is used again', () => {
    const gateway = start();
    const traffic = new Traffic(gateway);
    const sample = fc.sample(events, { numRuns: 100, seed: 7 });
    const pass = (): number => {
      for (const event of sample.flat()) traffic.take(event);
      traffic.end();
      return gateway.pages;
    };
    // Until the allocator has seen the worst that the sample asks of it.
    for (let warm = 0; warm < 6; warm++) pass();
    const before = gateway.pages;
    for (let round = 0; round < 20; round++) pass();
    expect(gateway.pages).toBe(before);
  });
});
