import { expect, test } from 'vitest';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const server = { name: 'a', cluster: 'a' };
const reader = { name: 'team-a/reader', tools: ['a_*'] };
const aName = '<namespace>/<name>, each made of a-z, 0-9 and inner dashes and dots, at most 63 characters';
const aPattern = (most: number): string =>
  `a name, or a pattern with "*" for any run of characters and "?" for one, at most ${most} bytes`;

const times = (count: number, pattern: string): string[] => Array.from({ length: count }, () => pattern);

test.each([
  ['nothing at all', {}],
  ['an empty list', { virtualServers: [] }],
  ['every member', { virtualServers: [{ ...reader, prompts: ['p*'], resources: ['x'.repeat(2048)] }] }],
  ['rules without members', { servers: [{ ...server, tools: {} }] }],
  ['empty rules', { servers: [{ ...server, tools: { allow: [], deny: [] } }] }],
  ['a root by name', { root: 'team-a/reader', virtualServers: [reader] }],
  ['an open root', { root: 'open' }],
  ['a closed root', { root: 'closed', virtualServers: [reader] }],
  ['dots, digits and dashes in a name', { virtualServers: [{ ...reader, name: '0/v1.2-b' }] }],
  ['the longest name', { virtualServers: [{ ...reader, name: `${'a'.repeat(63)}/${'b'.repeat(63)}` }] }],
  [
    '256 patterns and more names',
    { virtualServers: [{ ...reader, tools: [...times(256, 'a_*'), ...times(9, 'a_x')] }] },
  ],
])('%s is accepted', (_, more) => {
  expect(gateway.configure({ servers: [server], ...more })).toEqual([]);
});

test.each<[string, object, string[]]>([
  [
    'a misspelled member',
    { virtualServer: [] },
    ['virtualServer: is not a member of this section; did you mean "virtualServers"?'],
  ],
  [
    'no list',
    { virtualServers: reader },
    ['virtualServers: must be a list, found {"name":"team-a/reader","tools":["a_*"]}'],
  ],
  [
    'no object',
    { virtualServers: ['x'] },
    [
      'virtualServers[0]: must be an object, found "x"',
      'virtualServers[0].name: is missing',
      'virtualServers[0].tools: is missing',
    ],
  ],
  [
    'a member of a virtual server',
    { virtualServers: [{ ...reader, tool: [] }] },
    ['virtualServers[0].tool: is not a member of this section; did you mean "tools"?'],
  ],
  [
    'a name twice',
    { virtualServers: [reader, { ...reader }] },
    ['virtualServers[1].name: is the name of another virtual server'],
  ],
  [
    'a member of the rules',
    { servers: [{ ...server, tools: { denny: [] } }] },
    ['servers[0].tools.denny: is not a member of this section; did you mean "deny"?'],
  ],
  [
    'rules that are a list',
    { servers: [{ ...server, tools: ['x'] }] },
    ['servers[0].tools: must be an object, found ["x"]'],
  ],
  [
    'a pattern that is none',
    { servers: [{ ...server, tools: { allow: ['x', 7, ''], deny: [null, '\ud800'] } }] },
    [
      `servers[0].tools.allow[1]: must be ${aPattern(256)}, found 7`,
      `servers[0].tools.allow[2]: must be ${aPattern(256)}, found ""`,
      `servers[0].tools.deny[0]: must be ${aPattern(256)}, found null`,
      String.raw`servers[0].tools.deny[1]: must be ${aPattern(256)}, found "\ud800"`,
    ],
  ],
  [
    'a pattern too long',
    { virtualServers: [{ ...reader, tools: ['x'.repeat(257)], resources: ['y'.repeat(2049)] }] },
    [
      `virtualServers[0].tools[0]: must be ${aPattern(256)}, found "${'x'.repeat(39)}...`,
      `virtualServers[0].resources[0]: must be ${aPattern(2048)}, found "${'y'.repeat(39)}...`,
    ],
  ],
  [
    'too many patterns',
    { servers: [{ ...server, tools: { deny: times(257, '?') } }] },
    ['servers[0].tools.deny: must have at most 256 patterns with "*" or "?" (names are not limited), found 257'],
  ],
  [
    'a root that does not exist',
    { root: 'team-a/raeder', virtualServers: [reader] },
    [
      'root: must be "open", "closed" or the name of a virtual server, found "team-a/raeder"; did you mean "team-a/reader"?',
    ],
  ],
  [
    'a root like a word',
    { root: 'close' },
    ['root: must be "open", "closed" or the name of a virtual server, found "close"; did you mean "closed"?'],
  ],
  [
    'a root like nothing',
    { root: 'everything' },
    ['root: must be "open", "closed" or the name of a virtual server, found "everything"'],
  ],
  ['a root that is no text', { root: true }, ['root: must be a string that is not empty, found true']],
  [
    'several at once',
    { root: 'opn', virtualServers: [{ name: 'x', tools: [''] }], servers: [{ ...server, tools: { allow: 1 } }] },
    [
      'servers[0].tools.allow: must be a list, found 1',
      `virtualServers[0].name: must be ${aName}, found "x"`,
      `virtualServers[0].tools[0]: must be ${aPattern(256)}, found ""`,
      'root: must be "open", "closed" or the name of a virtual server, found "opn"; did you mean "open"?',
    ],
  ],
])('%s is refused', (_, more, problems) => {
  expect(gateway.configure({ servers: [server], ...more })).toEqual(problems);
});

test.each([
  'reader',
  'a/',
  '/a',
  'a//b',
  'a/b/c',
  'A/b',
  'a/-b',
  'a-/b',
  './a',
  '../a',
  'a/..',
  '-/status',
  'a b/c',
  'a/é',
  'a/*',
  `${'a'.repeat(64)}/b`,
])('a virtual server cannot be called %j', (name) => {
  const found = JSON.stringify(name);
  const shown = found.length > 40 ? `${found.slice(0, 40)}...` : found;
  expect(gateway.configure({ servers: [server], virtualServers: [{ ...reader, name }] })).toEqual([
    `virtualServers[0].name: must be ${aName}, found ${shown}`,
  ]);
});
