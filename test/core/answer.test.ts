import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';

const core = instance();
const ENDINGS = ['response', 'no cluster', 'no host', 'broken', 'unfinished', 'not asked'];

/** `none`, or the reason and its detail. */
function told(reason: number): string {
  const name = core.text('errorsName', reason) ?? '';
  return reason === 0 ? name : `${name}: ${core.text('answerDetail') ?? ''}`;
}

function open(ending: string, status: number, contentType: string, body: string): void {
  core.call('answerOpen', ENDINGS.indexOf(ending), status, ...core.span(contentType), ...core.span(body));
}

function messages(contentType: string, body: string): string[] {
  open('response', 200, contentType, body);
  expect(told(core.call('answerRead'))).toBe('none');
  const found: string[] = [];
  while (core.call('answerNext') === 1) found.push(core.text('answerDocument') ?? '');
  core.clear();
  return found;
}

test.each([
  ['no cluster', 'upstream_unknown_cluster: the cluster does not exist'],
  [
    'no host',
    'upstream_unreachable: the cluster has no healthy endpoint, or its circuit breakers allow no more requests',
  ],
  ['broken', 'upstream_unreachable: the response was cut off, or is larger than Envoy buffers'],
  ['unfinished', 'upstream_protocol: it keeps the event stream open after its answer'],
  ['not asked', 'upstream_timeout: the time was up before it was asked'],
])('a callout that ended with "%s"', (ending, reason) => {
  open(ending, 200, 'application/json', '{}');
  expect(told(core.call('answerJudge'))).toBe(reason);
  core.clear();
});

test.each([
  [200, '', 'none'],
  [202, '', 'none'],
  [299, '', 'none'],
  [199, '', 'upstream_status: HTTP 199'],
  [
    302,
    '',
    'upstream_status: HTTP 302, a redirect, which the gateway does not follow; correct the address or the path of this server in the configuration',
  ],
  [400, '{}', 'upstream_status: HTTP 400'],
  [401, '', 'upstream_unauthorized: HTTP 401'],
  [403, '', 'upstream_unauthorized: HTTP 403'],
  [404, '', 'upstream_status: HTTP 404'],
  [500, '', 'upstream_status: HTTP 500'],
  [503, '', 'upstream_status: HTTP 503'],
  [503, 'upstream connect error or disconnect/reset before headers', 'upstream_unreachable: no connection'],
  [503, 'no healthy upstream', 'upstream_unreachable: the cluster has no healthy endpoint'],
  [503, 'We have no healthy upstream', 'upstream_status: HTTP 503: We have no healthy upstream'],
  [500, 'no healthy upstream', 'upstream_status: HTTP 500: no healthy upstream'],
  [504, 'upstream request timeout', 'upstream_timeout: no answer'],
  [504, 'gateway timeout', 'upstream_status: HTTP 504: gateway timeout'],
])('an answer of %i %j', (status, body, reason) => {
  open('response', status, 'application/json', body);
  expect(told(core.call('answerJudge'))).toBe(reason);
  core.clear();
});

const token =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkoifQ.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';

test.each<[number, string, string]>([
  [400, '{"error":{"code":-32602,"message":"no such city"}}', 'upstream_status: HTTP 400: no such city'],
  [400, '{"id":1,"error":{"code":-1,"message":""},"message":"outside"}', 'upstream_status: HTTP 400: outside'],
  [400, '{"error":"invalid_grant","error_description":"it has expired"}', 'upstream_status: HTTP 400: it has expired'],
  [404, '{"title":"Not Found","status":404,"detail":"no such route"}', 'upstream_status: HTTP 404: no such route'],
  [500, '{"error":"overheated"}', 'upstream_status: HTTP 500: overheated'],
  [500, '{"error":{"message":"half', 'upstream_status: HTTP 500: {"error":{"message":"half'],
  [500, ' \n{}\n', 'upstream_status: HTTP 500'],
  [
    500,
    '<!doctype html><title>Error</title>\n<pre class="a">Cannot&nbsp;POST /mcp</pre>',
    'upstream_status: HTTP 500: Error Cannot&nbsp;POST /mcp',
  ],
  [500, 'two\r\nlines\tand \u001b[31mred\u0000', 'upstream_status: HTTP 500: two lines and [31mred'],
  [500, 'ü'.repeat(100), `upstream_status: HTTP 500: ${'ü'.repeat(80)}`],
  [500, 'x '.repeat(9000), `upstream_status: HTTP 500: ${'x '.repeat(79)}x`],
  [500, `no user ${token}`, 'upstream_status: HTTP 500: no user ...........'],
  [500, 'Session 1868a90c-7f63-4b13-9f4b-2f4cbc4cc1f2 failed', 'upstream_status: HTTP 500: Session ... failed'],
  [401, 'k3y is not good', 'upstream_unauthorized: HTTP 401'],
  [403, 'not yours', 'upstream_unauthorized: HTTP 403: not yours'],
  [
    403,
    'Forbidden: invalid Host header "x"',
    'upstream_status: asked as weather.test it says HTTP 403: Forbidden: invalid Host header "x"',
  ],
  [
    403,
    '{"error":{"code":-32000,"message":"Invalid Host: x"}}',
    'upstream_status: asked as weather.test it says HTTP 403: Invalid Host: x',
  ],
  [421, '', 'upstream_status: asked as weather.test it says HTTP 421'],
  [
    400,
    '{"error":{"code":-32022,"message":"Unsupported protocol version: 2025-11-25"}}',
    'upstream_protocol: HTTP 400: Unsupported protocol version: 2025-11-25',
  ],
  [400, '{"error":{"code":-32020,"message":"no Mcp-Method"}}', 'upstream_protocol: HTTP 400: no Mcp-Method'],
])('a refusal of %i is told in its own words (%#)', (status, body, reason) => {
  open('response', status, 'text/plain', body);
  expect(told(core.call('answerJudge'))).toBe(reason);
  core.clear();
});

test('whatever a server says is told on one line, and short', () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 599 }), fc.string({ unit: 'binary' }), (status, body) => {
      open('response', status, 'text/plain', body);
      core.call('answerJudge');
      const detail = core.text('answerDetail') ?? '';
      core.clear();
      expect(Buffer.from(detail).length).toBeLessThan(240);
      expect(Buffer.from(detail).every((byte) => byte >= 0x20 && byte !== 0x7f)).toBe(true);
    }),
  );
});

test.each([
  [429, '30', '30'],
  [503, 'Wed, 21 Oct 2026 07:28:00 GMT', 'Wed, 21 Oct 2026 07:28:00 GMT'],
  [500, '30', undefined],
  [200, '30', undefined],
  [429, '', undefined],
  [429, '1\r\nx-a: b', undefined],
  [429, '9'.repeat(41), undefined],
])('of %i, Retry-After %j passes as %j', (status, value, passed) => {
  open('response', status, 'text/plain', 'busy');
  core.call('answerRetryAfter', ...core.span(value));
  core.call('answerJudge');
  expect(core.text('answerRetry')).toBe(passed);
  core.clear();
});

test.each([
  ['gzip', '{}', 'upstream_protocol: its answer is compressed, although the gateway accepts no content-encoding: gzip'],
  ['br', '{}', 'upstream_protocol: its answer is compressed, although the gateway accepts no content-encoding: br'],
  ['identity', '{}', 'none'],
  ['Identity', '{}', 'none'],
  ['', '{}', 'none'],
  ['gzip', '', 'none'],
])('an answer in the coding %j with the body %j', (coding, body, reason) => {
  open('response', 200, 'application/json', body);
  core.call('answerIsCoded', ...core.span(coding));
  expect(told(core.call('answerJudge'))).toBe(reason);
  core.clear();
});

test.each(['application/json', 'Application/JSON', 'application/json; charset=utf-8', ' application/json ;x=y'])(
  '%j is one document',
  (contentType) => {
    expect(messages(contentType, 'data: {}\n\n')).toEqual(['data: {}\n\n']);
  },
);

test.each(['text/event-stream', 'Text/Event-Stream', 'text/event-stream;charset=utf-8'])(
  '%j is a document for each event',
  (contentType) => {
    expect(messages(contentType, 'data: {"a":1}\n\n: x\n\ndata: {"b":2}\n\n')).toEqual(['{"a":1}', '{"b":2}']);
  },
);

test.each<[string, string, string, string[]]>([
  ['a batch', 'application/json', ' [{"a":1}, [2] ,"3"]\n', ['{"a":1}', '[2]', '"3"']],
  ['an empty batch', 'application/json', '[]', []],
  ['batches among events', 'text/event-stream', 'data: [1]\n\ndata: 2\n\ndata: [3,4]\n\n', ['1', '2', '3', '4']],
  ['half a batch', 'application/json', '[{"a":1},', ['[{"a":1},']],
])('%s is read element by element', (_, contentType, body, found) => {
  expect(messages(contentType, body)).toEqual(found);
});

test.each([
  ['application/json', `[${'1,'.repeat(20_000)}1]`],
  ['text/event-stream', 'data:1\n\n'.repeat(20_000)],
])('no more than 10,000 messages of %s are read', (contentType, body) => {
  expect(messages(contentType, body).length).toBeGreaterThan(9_990);
  expect(messages(contentType, body).length).toBeLessThanOrEqual(10_000);
});

test.each<[string, string, string]>([
  ['', '{}', 'HTTP 200 without a content-type, where an answer is due'],
  ['', '', 'HTTP 200 without a body, where an answer is due'],
  ['text/html', '', 'HTTP 200 without a body, where an answer is due'],
  ...['text/html', 'application/jsonp', 'application/json-seq', 'json', 'text/event-stream2'].map(
    (type): [string, string, string] => [type, '{}', `neither JSON nor an event stream: ${type}`],
  ),
])('%j with the body %j cannot be read', (contentType, body, detail) => {
  open('response', 200, contentType, body);
  expect(told(core.call('answerRead'))).toBe(`upstream_protocol: ${detail}`);
  core.clear();
});
