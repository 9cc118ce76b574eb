// The short form of `npm run fuzz`: new inputs in every run, and the seed is told where one is wrong.
import { expect, test } from 'vitest';
import { randomness } from '../e2e/proof/samples.ts';
import { Draw } from './draw.ts';
import { fuzz } from './fuzz.ts';
import { REFUSED, expectedOf } from './reference.ts';
import { targets } from './targets.ts';

test.each(Object.keys(targets))('%s: no trap, and nothing but what is expected', { timeout: 120_000 }, (target) => {
  const { outcomes, failure } = fuzz(target, 10_000, Date.now() % 2 ** 31);
  expect(failure).toBeUndefined();
  expect(outcomes.size, 'kinds of outcomes').toBeGreaterThan(1);
});

test('the same seed draws the same inputs', () => {
  const drawn = (): string[] => {
    const draw = new Draw(randomness(7));
    return Array.from({ length: 100 }, () => draw.damaged(Buffer.from(draw.json(4))).toString('hex'));
  };
  expect(drawn()).toEqual(drawn());
});

test('the parts of what was cut are the whole', () => {
  const draw = new Draw(randomness(7));
  const bytes = Buffer.from('0123456789');
  for (let times = 0; times < 100; times++) expect(Buffer.concat(draw.cut(bytes))).toEqual(bytes);
});

test.each([
  ['{"jsonrpc":"2.0","id":1,"method":"ping"}', 'request\nid: 1\nmethod: "ping"'],
  ['{"jsonrpc":"2.0","id":1,"method":"ping"', REFUSED],
  ['{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 'parse_error: it names a routing member twice\nid: 1'],
  ['7', 'invalid_request: the message is not an object'],
])('the reader that bodies are compared with reads %s', (body, told) => {
  expect(expectedOf(Buffer.from(body))).toBe(told);
});
