import { describe, expect, it, test } from 'vitest';
import { type Header, HeaderMap } from '../../../envoy/embedded/header-map.ts';
import { lastChunk, requestHead } from '../../../envoy/embedded/upstream/request-head.ts';

function headOf(method: string, headers: readonly Header[], endStream = false) {
  return requestHead(method, new HeaderMap([[':path', '/mcp'], [':authority', 'a:1'], ...headers]), endStream);
}

test('a request has its headers in their order, and Host for its authority', () => {
  const headers: Header[] = [
    [':scheme', 'http'],
    ['b', 'c\xe9'],
    ['host', 'other'],
    ['b', ''],
    ['content-length', '2'],
  ];
  expect(headOf('POST', headers)).toEqual({
    text: 'POST /mcp HTTP/1.1\r\nhost: a:1\r\nb: c\xe9\r\nb: \r\ncontent-length: 2\r\n\r\n',
    isChunked: false,
    keepsAlive: true,
  });
});

const framing: readonly (readonly [string, string, readonly Header[], boolean, string, boolean])[] = [
  ['chunks where no length is told', 'POST', [], false, 'transfer-encoding: chunked\r\n', true],
  ['no chunks twice', 'POST', [['transfer-encoding', 'chunked']], false, 'transfer-encoding: chunked\r\n', true],
  ['a length of nothing', 'POST', [], true, 'content-length: 0\r\n', false],
  ['no length for what has no content', 'GET', [], true, '', false],
  [
    'trailers where chunks are',
    'POST',
    [['trailer', 'a']],
    false,
    'trailer: a\r\ntransfer-encoding: chunked\r\n',
    true,
  ],
  ['no trailers where none are', 'GET', [['trailer', 'a']], true, '', false],
];

it.each(framing)('has %s', (_, method, headers, endStream, lines, isChunked) => {
  const head = headOf(method, headers, endStream);
  expect(head).toMatchObject({ text: `${method} /mcp HTTP/1.1\r\nhost: a:1\r\n${lines}\r\n`, isChunked });
});

it.each(['close', 'Close', 'a, close'])('ends the connection that it is told to end: %s', (connection) => {
  expect(headOf('GET', [['connection', connection]], true)?.keepsAlive).toBe(false);
});

describe('is no request:', () => {
  it.each([
    ['a method that is no token', 'GE T', []],
    ['no method', '', []],
    ['a path with a space', 'GET', [[':path', '/a b']]],
    ['a path with a line end', 'GET', [[':path', '/a\r\nb: c']]],
    ['a path with more than bytes', 'GET', [[':path', '/\u0100']]],
    ['a name that is no token', 'GET', [['a b', 'c']]],
    ['no name', 'GET', [['', 'c']]],
    ['a value with a line end', 'GET', [['a', 'b\r\nc: d']]],
    ['a value with NUL', 'GET', [['a', '\0']]],
    ['an authority with a line end', 'GET', [[':authority', 'a\nb: c']]],
  ] as const)('%s', (_, method, headers: readonly Header[]) => {
    const map = new HeaderMap([[':path', '/mcp']]);
    for (const [name, value] of headers) map.set(name, value);
    expect(requestHead(method, map, true)).toBeUndefined();
  });

  it('trailers that are more than lines', () => {
    expect(lastChunk(new HeaderMap([['a', 'b\r\nc']]))).toBeUndefined();
    expect(lastChunk(new HeaderMap([['a', 'b']]))).toBe('0\r\na: b\r\n\r\n');
    expect(lastChunk(undefined)).toBe('0\r\n\r\n');
  });
});
