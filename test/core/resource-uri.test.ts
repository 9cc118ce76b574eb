import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { spelled } from './json-text.ts';

const core = instance();

function configure(servers: object[]): string[] {
  const key = `KEY=${Buffer.alloc(32, 7).toString('base64url')}\0`;
  const json = JSON.stringify({ sessions: { keys: [{ id: 1, env: 'KEY' }] }, servers });
  const count = core.call('gatewayConfigure', ...core.span(json), ...core.span(key));
  const problems = Array.from({ length: count }, (_, i) => core.text('gatewayProblem', i) ?? '');
  core.clear();
  return problems;
}

function withSpan<T>(text: string | Uint8Array, use: (span: [number, number]) => T): T {
  const result = use(core.span(text));
  core.clear();
  return result;
}

/** What a client sees of a server's URI, and of the token that it stands in. */
function shown(server: number, token: string): string {
  const at = withSpan(token, (span) => core.call('gatewayMarkOffset', server, ...span));
  const bytes = Buffer.from(token);
  const mark = core.text('gatewayMark', server) ?? '';
  return at < 0 ? token : Buffer.concat([bytes.subarray(0, at), Buffer.from(mark), bytes.subarray(at)]).toString();
}

/** Whom a client's URI belongs to, and what it is called there. */
function resolved(uri: string): { server: number; uri: string } | undefined {
  const server = withSpan(uri, (span) => core.call('gatewayUriOwner', ...span));
  if (server < 0) return undefined;
  const at = withSpan(uri, (span) => core.call('gatewayMarkIn', server, ...span));
  const bytes = Buffer.from(uri);
  const size = (core.text('gatewayMark', server) ?? '').length;
  return {
    server,
    uri: at < 0 ? uri : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]).toString(),
  };
}

function marked(server: number, uri: string): string {
  return JSON.parse(shown(server, JSON.stringify(uri))) as string;
}

const TWO = [
  { name: 'git', cluster: 'git' },
  { name: 'ui-2', cluster: 'ui' },
];

test.each([
  ['file:///repo/a', 'file://git//repo/a'],
  ['file://host/repo', 'file://git/host/repo'],
  ['ui://form', 'ui://git/form'],
  ['urn:x', 'urn:git/x'],
  ['urn:/x', 'urn:git//x'],
  ['data:,', 'data:git/,'],
  ['a+b-c.9://x', 'a+b-c.9://git/x'],
  ['test://{id}/x', 'test://git/{id}/x'],
  ['test:{+rest}', 'test:git/{+rest}'],
  ['{scheme}://x', 'git/{scheme}://x'],
  ['te{x}t://y', 'git/te{x}t://y'],
  ['{+path}', 'git/{+path}'],
  ['', 'git/'],
  ['plain', 'git/plain'],
  ['/abs', 'git//abs'],
  [':x', 'git/:x'],
  ['9p://x', 'git/9p://x'],
  ['fil%65://x', 'git/fil%65://x'],
  ['é://x', 'git/é://x'],
  ['http://x.org/', 'http://git/x.org/'],
  ['https:x', 'https:git/x'],
  ['https:/x', 'https:git//x'],
  ['https', 'git/https'],
  ['https://x.org/a', 'https://x.org/a'],
  ['HTTPS://x.org/{a}', 'HTTPS://x.org/{a}'],
])('%j of server git is %j', (uri, expected) => {
  configure(TWO);
  expect(marked(0, uri)).toBe(expected);
  expect(resolved(expected)).toEqual(expected === uri ? undefined : { server: 0, uri });
});

test.each([
  ['"file:\\/\\/\\/repo"', '"file:\\/\\/git/\\/repo"'],
  ['"\\u0066ile\\u003a\\u002F\\u002f/repo"', '"\\u0066ile\\u003a\\u002F\\u002fgit//repo"'],
  ['"urn\\u003ax"', '"urn\\u003agit/x"'],
  ['"\\u007b+p}"', '"git/\\u007b+p}"'],
  ['"https:\\/\\/x"', '"https:\\/\\/x"'],
  // A lone surrogate has no text, so no client could ask for it.
  ['"test://\\ud83d"', '"test://\\ud83d"'],
])('the token %s becomes %s', (token, expected) => {
  configure(TWO);
  expect(shown(0, token)).toBe(expected);
});

test('with one server every URI stays as it is, and is that of the server', () => {
  configure([{ name: 'git', cluster: 'git', ownedUris: ['file:///a*'] }]);
  for (const uri of ['file:///a', 'urn:git/x', 'https://x.org', 'git/x', '']) {
    expect(marked(0, uri)).toBe(uri);
    expect(resolved(uri)).toEqual({ server: 0, uri });
  }
});

test('what a server owns stays as it is, but where it would be taken for a marked one', () => {
  configure([
    { name: 'git', cluster: 'git', ownedUris: ['file://*', 'https://docs.org/*'] },
    { name: 'ui-2', cluster: 'ui', ownedUris: ['ui://*'] },
  ]);
  expect(marked(0, 'file:///repo')).toBe('file:///repo');
  expect(marked(0, 'file://ui-2/repo')).toBe('file://git/ui-2/repo');
  expect(marked(0, 'file://git/repo')).toBe('file://git/git/repo');
  expect(marked(0, 'ui://form')).toBe('ui://git/form');
  expect(marked(1, 'file:///repo')).toBe('file://ui-2//repo');
  expect(resolved('https://docs.org/a')).toEqual({ server: 0, uri: 'https://docs.org/a' });
  expect(resolved('https://other.org/a')).toBeUndefined();
});

test('a mark of no server is none', () => {
  configure(TWO);
  for (const uri of ['file://gi/x', 'file://git', 'file:git', 'urn:/git/x', 'GIT/x', 'file://GIT/x', '/git/x', '']) {
    expect(resolved(uri)).toBeUndefined();
  }
});

const pieces = fc.constantFrom(
  'git',
  'ui-2',
  'g',
  '/',
  '//',
  ':',
  '://',
  'https',
  'file',
  '{+x}',
  'é',
  '😀',
  '\\',
  '?',
);
const anyUri = fc.oneof(
  fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
  fc.webUrl(),
  fc.string(),
);
const isWeb = (uri: string): boolean => /^https:\/\//i.test(uri);

test('every URI that is not on the web comes back to its server as it was', () => {
  const owned = fc.subarray(['file:*', 'https:*', 'git/*', '*ui-2/?*', '{*']);
  fc.assert(
    fc.property(anyUri, fc.integer({ min: 0, max: 1 }), owned, (uri, server, patterns) => {
      const servers = TWO.map((one, i) => (i === server ? { ...one, ownedUris: patterns } : one));
      expect(configure(servers)).toEqual([]);
      if (isWeb(uri)) {
        expect(marked(server, uri)).toBe(uri);
      } else {
        expect(resolved(marked(server, uri))).toEqual({ server, uri });
      }
    }),
    { numRuns: 3000 },
  );
});

test('the same place is found however the URI is spelled in JSON', () => {
  configure(TWO);
  fc.assert(
    fc.property(
      anyUri.chain((uri) => fc.tuple(fc.constant(uri), spelled(uri))),
      ([uri, inside]) => {
        const token = shown(0, `"${inside}"`);
        expect(JSON.parse(token)).toBe(marked(0, uri));
        // Nothing but the mark was inserted.
        expect(token.length - inside.length - 2).toBe(isWeb(uri) ? 0 : 'git/'.length);
      },
    ),
    { numRuns: 3000 },
  );
});

test('what a marked template expands to is the mark of what the bare one expands to', () => {
  configure(TWO);
  const value = fc.constantFrom('a', '/', '//b', 'https', 'file:', 'git/', '');
  const template = fc.array(fc.oneof(pieces, fc.constant('{+x}')), { maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(template, value, (template, value) => {
      fc.pre(!isWeb(template));
      const expand = (text: string): string => text.replaceAll('{+x}', value);
      const expanded = expand(marked(0, template));
      expect(resolved(expanded)).toEqual({ server: 0, uri: expand(template) });
    }),
    { numRuns: 3000 },
  );
});

test('two servers must not own the same URI', () => {
  const problems = configure([
    { name: 'git', cluster: 'git', ownedUris: ['file:///repo/*', 'urn:x'] },
    { name: 'ui-2', cluster: 'ui', ownedUris: ['ui://*', '*/secret'] },
    { name: 'c', cluster: 'c', ownedUris: ['urn:?'] },
  ]);
  expect(problems).toEqual([
    'servers[1].ownedUris[1]: has URIs in common with file:///repo/* of server git, so that a resource could belong to both',
    'servers[2].ownedUris[0]: has URIs in common with urn:x of server git, so that a resource could belong to both',
  ]);
});

const isSettled = (uri: string): boolean => withSpan(uri, (span) => core.call('uriIsSettled', ...span)) === 1;

test.each([
  'file:///public/../secret',
  'file:///public/%2e%2E/secret',
  'file:///public/..%2fsecret',
  'file:///public/..%5Csecret',
  'file:///public\\..\\secret',
  'file:///public/..',
  'file:///public/./a',
  'FILE:///secret',
  'file:/secret',
  'file:secret',
  'file://localhost/secret',
  'file:///sec\tret',
  ' file:///secret',
  'file:///secret ',
  'note://public/../secret',
  'public/../secret',
  '../secret',
  'https://x.org:443/a',
  'https://x.org:/a',
  'https://X.org/a',
  'https://%78.org/a',
  'https://@x.org/a',
  'note://a:@b/c',
  'note://b:/c',
  'https:/x.org/a',
  'https:///x.org/a',
])('%j is read as another URI', (uri) => {
  expect(isSettled(uri)).toBe(false);
});

test.each([
  'file:///public/a',
  'file:///public/..a/b..',
  'file:///public/...',
  'file:///a b/ü',
  'file://server/share',
  'note://a',
  'note:My note',
  'Notes and more',
  'https://x.org',
  'https://x.org:8443/a?b=/../c#/../d',
  'ui://form/{x}',
  'urn:isbn:0451450523',
  'postgres://user@db.example:5432/table/schema',
  'note://a/my%20notes/caf%C3%A9',
  'note://a/%73ecret',
])('%j is read as it is written', (uri) => {
  expect(isSettled(uri)).toBe(true);
});

test('what is settled is the same to a URL parser', () => {
  const piece = fc.constantFrom(
    'file',
    'https',
    'note',
    ':',
    '/',
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '\\',
    'a',
    'B',
    '?',
    '#',
    '\t',
    ' ',
    '@',
    ':443',
  );
  let settled = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 9 }), (pieces) => {
      const uri = pieces.join('');
      if (!isSettled(uri) || !URL.canParse(uri)) return;
      settled++;
      // Beside what stands in another place, a space is escaped, and a host alone gets a path.
      const parsed = new URL(uri).href.replaceAll('%20', ' ');
      expect([uri, uri.replace(/^((?:https|file):\/\/[^/?#]*)/, '$1/')]).toContain(parsed);
    }),
    { numRuns: 20_000 },
  );
  expect(settled).toBeGreaterThan(0);
});

const normalized = (uri: string): string => withSpan(uri, (span) => core.text('uriNormalizedEscapes', ...span)) ?? '';

/** As RFC 3986, 6.2.2, says it. */
const usual = (uri: string): string =>
  uri.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
  });

test.each([
  ['note://a/%73ecret', 'note://a/secret'],
  ['note://a/a%2Db%5F%7E%2E%39', 'note://a/a-b_~.9'],
  ['note:%41?q=%73#%74', 'note:A?q=s#t'],
  ['note://a/caf%c3%A9%2f', 'note://a/caf%C3%A9%2F'],
  ['note://a/my%20notes/100%2573', 'note://a/my%20notes/100%2573'],
  ['note://a/%zz%7g%g7%7', 'note://a/%zz%7g%g7%7'],
  ['%%%37%333', '%%733'],
  ['', ''],
])('the escapes of %j are normalized to %j', (uri, expected) => {
  expect(usual(uri)).toBe(expected);
  expect(normalized(uri)).toBe(expected);
});

test('whatever the escapes are, they are normalized, once and in place', () => {
  const piece = fc.constantFrom(
    '%',
    '7',
    '3',
    'e',
    'E',
    'c',
    '%7e',
    '%7E',
    '%c3',
    '%C3',
    '%2f',
    '%73',
    'é',
    '/',
    '*',
    '?',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const uri = pieces.join('');
      expect(normalized(uri)).toBe(usual(uri));
    }),
    { numRuns: 5_000 },
  );
});
