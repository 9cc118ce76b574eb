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
  ['no host', 'upstream_unreachable: the cluster has no endpoint'],
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
  [503, 'no healthy upstream', 'upstream_unreachable: the cluster has no endpoint'],
  [503, 'We have no healthy upstream', 'upstream_status: HTTP 503'],
  [500, 'no healthy upstream', 'upstream_status: HTTP 500'],
  [504, 'upstream request timeout', 'upstream_timeout: no answer'],
  [504, 'gateway timeout', 'upstream_status: HTTP 504'],
])('an answer of %i %j', (status, body, reason) => {
  open('response', status, 'application/json', body);
  expect(told(core.call('answerJudge'))).toBe(reason);
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

test.each(['', 'text/html', 'application/jsonp', 'application/json-seq', 'json', 'text/event-stream2'])(
  '%j cannot be read',
  (contentType) => {
    open('response', 200, contentType, '{}');
    const detail = `neither JSON nor an event stream: ${contentType}`;
    expect(told(core.call('answerRead'))).toBe(`upstream_protocol: ${detail}`);
    core.clear();
  },
);
