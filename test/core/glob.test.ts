import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();

function ask(name: string, ...texts: string[]): boolean {
  const answer = core.call(name, ...texts.flatMap((text) => core.span(text)));
  core.clear();
  return answer === 1;
}

const matches = (pattern: string, text: string): boolean => ask('globMatches', pattern, text);
const covers = (wider: string, narrower: string): boolean => ask('globCovers', wider, narrower);
const overlap = (a: string, b: string): boolean => ask('globsOverlap', a, b);

function residues(pattern: string, prefix: string): string[] {
  const found: string[] = [];
  for (;;) {
    const residue = core.text('globResidue', ...core.span(pattern), ...core.span(prefix), found.length);
    core.clear();
    if (residue === undefined) return found;
    found.push(residue);
  }
}

/** The reference: the same language as a regular expression. */
function expressionOf(pattern: string): RegExp {
  const parts = Array.from(pattern).map((c) => {
    if (c === '*') return '.*';
    return c === '?' ? '.' : c.replace(/[\\^$.+()[\]{}|/]/, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'su');
}

/** Few letters, so that patterns and texts often meet; of one to four bytes, and such as mean something elsewhere. */
const letter = fc.constantFrom('a', 'a', 'b', 'b', '_', 'é', '€', '😀', '.', '[', '\\', '\n', '/');
const wildcard = fc.constantFrom('*', '*', '?');
const text = fc.string({ unit: letter, maxLength: 12 });
const pattern = fc.string({ unit: fc.oneof(letter, wildcard), maxLength: 8 });

/** A text that a pattern matches. */
function matching(source: string): fc.Arbitrary<string> {
  const parts = Array.from(source).map((c) => {
    if (c === '*') return fc.string({ unit: letter, maxLength: 4 });
    return c === '?' ? letter : fc.constant(c);
  });
  return fc.tuple(...parts).map((all) => all.join(''));
}

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['?', '', false],
  ['get_*', 'get_', true],
  ['get_*', 'get', false],
  ['*_delete', 'user_delete', true],
  ['*_delete', 'user_delete_all', false],
  ['a*b*c', 'a1b2b3c', true],
  ['a*b*c', 'a1c2b3', false],
  ['get_?', 'get_é', true],
  ['get_??', 'get_é', false],
  ['?', '😀', true],
  ['[ab]', '[ab]', true],
  ['[ab]', 'a', false],
  ['a.c', 'abc', false],
  ['\\*', '\\anything', true],
  ['GET', 'get', false],
  ['*\n', 'a\nb\n', true],
])('%j against %j: %s', (glob, name, expected) => {
  expect(matches(glob, name)).toBe(expected);
});

test('matches what the same pattern as a regular expression matches', () => {
  let yes = 0;
  let no = 0;
  const pair = pattern.chain((glob) => fc.tuple(fc.constant(glob), fc.oneof(text, matching(glob))));
  fc.assert(
    fc.property(pair, ([glob, name]) => {
      const expected = expressionOf(glob).test(name);
      if (expected) yes++;
      else no++;
      expect(matches(glob, name)).toBe(expected);
    }),
    { numRuns: 20_000 },
  );
  expect(Math.min(yes, no)).toBeGreaterThan(3000);
});

/** In each run of wildcards the marks first, then one star. */
const inOneForm = (glob: string): string => glob.replaceAll(/[*?]*\*[*?]*/g, (run) => `${run.replaceAll('*', '')}*`);

function simplified(glob: string): string {
  const text = core.text('globSimplified', ...core.span(glob)) ?? '';
  core.clear();
  return text;
}

test('a pattern means the same with each of its runs of wildcards in one form', () => {
  fc.assert(
    fc.property(pattern, text, (glob, name) => {
      expect(simplified(glob)).toBe(inOneForm(glob));
      expect(matches(simplified(glob), name)).toBe(matches(glob, name));
    }),
  );
});

test('patterns whose runs of wildcards differ in their order alone cover each other', () => {
  const pair = fc
    .array(fc.oneof(fc.constantFrom('a', 'é', '_'), fc.subarray(['*', '*', '?', '?'])), { maxLength: 6 })
    .map((pieces) => [pieces, pieces.map((piece) => (Array.isArray(piece) ? [...piece].reverse() : piece))])
    .map((both) => both.map((pieces) => simplified(pieces.flat().join(''))));
  fc.assert(
    fc.property(pair, ([one = '', other = '']) => {
      expect(covers(one, other)).toBe(true);
      expect(covers(other, one)).toBe(true);
    }),
  );
});

/** A matcher that tries every place for every star would not return within the life of the universe. */
test.each([
  ['many stars before what is not there', '*a'.repeat(64) + '*b', 'a'.repeat(1024)],
  ['many stars and marks', '*?'.repeat(64) + 'b', 'a'.repeat(1024)],
  ['a long piece that nearly fits everywhere', '*' + 'a'.repeat(200) + 'b', 'a'.repeat(1024)],
])('%s costs no more than pattern × text', (_, glob, name) => {
  const began = performance.now();
  for (let i = 0; i < 10; i++) expect(matches(glob, name)).toBe(false);
  // 10 × 256 × 1024 steps at most: some 5 ms, and a hundred times that on the slowest machine.
  expect(performance.now() - began).toBeLessThan(1000);
});

test('behind a prefix, one of the residues matches exactly where the pattern matches prefix and name', () => {
  const prefix = fc.string({ unit: fc.constantFrom('a', 'b', '_', '.'), maxLength: 5 });
  const name = fc.string({ unit: letter, minLength: 1, maxLength: 8 });
  const triple = fc.tuple(pattern, prefix).chain(([glob, before]) => {
    // Never empty: no tool has an empty name.
    const likely = matching(glob).map(
      (whole) => (whole.startsWith(before) ? whole.slice(before.length) : whole) || 'a',
    );
    const own = fc.oneof(name, likely);
    return fc.tuple(fc.constant(glob.replace(/\*+/g, '*')), fc.constant(before), own);
  });
  let yes = 0;
  fc.assert(
    fc.property(triple, ([glob, before, own]) => {
      const expected = matches(glob, before + own);
      if (expected && before !== '') yes++;
      expect(residues(glob, before).some((residue) => matches(residue, own))).toBe(expected);
    }),
    { numRuns: 20_000 },
  );
  expect(yes).toBeGreaterThan(1000);
});

test.each([
  ['weather_get', 'weather_', ['get']],
  ['weather_*', 'weather_', ['*']],
  ['weather_', 'weather_', []],
  ['orders_*', 'weather_', []],
  ['*', 'weather_', ['*']],
  ['*_get', 'weather_', ['*_get', 'get']],
  ['w*', 'weather_', ['*']],
  ['weather??et', 'weather_', ['?et']],
  ['get', '', ['get']],
])('%j behind the prefix %j is %j', (glob, prefix, expected) => {
  expect(residues(glob, prefix)).toEqual(expected);
});

test('two patterns overlap where there is a text that both match', () => {
  let yes = 0;
  fc.assert(
    fc.property(
      pattern,
      pattern.chain((b) => fc.tuple(fc.constant(b), matching(b))),
      (a, [b, witness]) => {
        if (!expressionOf(a).test(witness)) return;
        yes++;
        expect(overlap(a, b)).toBe(true);
        expect(overlap(b, a)).toBe(true);
      },
    ),
    { numRuns: 20_000 },
  );
  expect(yes).toBeGreaterThan(1000);
});

/** Every text of up to five letters, held against both: enough for patterns of three places each. */
test('two short patterns overlap only where there is a text that both match', () => {
  const letters = ['a', 'b', 'é'];
  let texts = [''];
  const all = [...texts];
  for (let size = 1; size <= 5; size++) {
    texts = texts.flatMap((shorter) => letters.map((next) => shorter + next));
    all.push(...texts);
  }
  const short = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '*', '?'), maxLength: 3 });
  fc.assert(
    fc.property(short, short, (a, b) => {
      const [first, second] = [expressionOf(a), expressionOf(b)];
      expect(overlap(a, b)).toBe(all.some((name) => first.test(name) && second.test(name)));
    }),
    { numRuns: 3000 },
  );
});

test('a pattern that covers another matches all that the other matches', () => {
  let yes = 0;
  const pair = pattern.chain((narrower) =>
    fc.tuple(
      // Often the same with some of its places widened.
      fc.oneof(
        pattern,
        fc.tuple(...Array.from(narrower).map((c) => fc.constantFrom(c, c, c, '*'))).map((all) => all.join('')),
      ),
      fc.constant(narrower),
      matching(narrower),
    ),
  );
  fc.assert(
    fc.property(pair, ([wider, narrower, name]) => {
      if (!covers(wider, narrower)) return;
      yes++;
      expect(expressionOf(wider).test(name)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
  expect(yes).toBeGreaterThan(1000);
});

test.each([
  ['*', 'a?*', true],
  ['admin_*', 'admin_*_all', true],
  ['admin_*', 'admin_?', true],
  ['?', '?', true],
  ['?', 'é', true],
  ['?', '*', false],
  ['a?', 'a*', false],
  ['get_a', 'get_*', false],
  ['*_x', '*_x*', false],
])('%j covers %j: %s', (wider, narrower, expected) => {
  expect(covers(wider, narrower)).toBe(expected);
});
