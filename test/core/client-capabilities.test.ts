import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance, NONE } from './core.ts';

const core = instance();

function bits(declared: unknown): number {
  const found = core.call('clientCapabilitiesBits', ...core.span(JSON.stringify(declared))) >>> 0;
  core.clear();
  return found;
}

const text = (found: number): string => core.text('clientCapabilitiesText', found) ?? '';

/** What a client declares is told to a server that joins later. */
function told(declared: unknown): unknown {
  return JSON.parse(text(bits(declared)));
}

const object = fc.constant({});
const some = <T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(members, { requiredKeys: [] });
/** ClientCapabilities of the schema of 2025-11-25, but for `experimental`. */
const capabilities = some({
  roots: some({ listChanged: fc.constant(true) }),
  sampling: some({ context: object, tools: object }),
  elicitation: some({ form: object, url: object }),
  tasks: some({
    list: object,
    cancel: object,
    requests: some({ sampling: some({ createMessage: object }), elicitation: some({ create: object }) }),
  }),
});

test('what MCP has comes back', () => {
  fc.assert(
    fc.property(capabilities, (declared) => {
      expect(told(declared)).toEqual(declared);
    }),
    { numRuns: 500 },
  );
});

test('a number of its own for each: sealed into session ids, they never change', () => {
  const all = {
    roots: { listChanged: true },
    sampling: { context: {}, tools: {} },
    elicitation: { form: {}, url: {} },
    tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
  };
  expect(bits(all)).toBe(0xffff);
  expect(told(all)).toEqual(all);
  expect(bits({ roots: {} })).toBe(1);
  expect(bits({ roots: { listChanged: true } })).toBe(3);
  expect(bits({ sampling: {} })).toBe(4);
  expect(bits({ elicitation: {} })).toBe(0x20);
  expect(bits({ tasks: {} })).toBe(0x100);
});

test('what MCP does not have, or has in another form, is left out', () => {
  expect(told({ experimental: { a: {} }, roots: { other: 1 }, sampling: [], elicitation: true })).toEqual({
    roots: {},
  });
  expect(told({ roots: { listChanged: false } })).toEqual({ roots: {} });
  expect(told({ roots: { listChanged: {} } })).toEqual({ roots: {} });
  expect(told({ tasks: { sampling: { createMessage: {} } } })).toEqual({ tasks: {} });
  for (const other of [[], 'roots', 7, null, true, {}]) expect(bits(other)).toBe(0);
  expect(core.call('clientCapabilitiesBits', ...NONE)).toBe(0);
  expect(text(0)).toBe('{}');
});
