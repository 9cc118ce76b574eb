// Tasks that a server of 2026-07-28 makes of calls of a client with a session, in a host that says what comes when.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { answerAll, ask, callOf, INITIALIZE, type Pair, startPair, usualAnswer } from './gateway.ts';
import { type Headers, valueOf } from './pairs.ts';
import type { Stream } from './stream.ts';

const second = 1_000_000_000n;
const cancel = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}';
const plugin = { servers: [{ name: 'weather', cluster: 'weather', protocol: '2026-07-28', callTimeout: '1h' }] };
const json: Headers = [
  [':status', '200'],
  ['content-type', 'application/json'],
];
const methodOf = ({ body }: Callout): string => /"method":"([^"]*)"/.exec(body.toString())?.[1] ?? '';
const result = ({ body }: Callout, of: object): CalloutAnswer => {
  const id = /"id":("[^"]*"|\d+)/.exec(body.toString())?.[1] ?? 'null';
  return { headers: json, body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(of)}}`) };
};
const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
  serverInfo: { name: 's', version: '1' },
  ttlMs: 0,
  cacheScope: 'private',
};
const task = { taskId: 't', status: 'working', ttlMs: null, pollIntervalMs: 200 };

/** A server of 2026-07-28, but for what it says of tasks. */
function answerOf(callout: Callout): CalloutAnswer {
  return methodOf(callout) === 'server/discover' ? result(callout, discovered) : usualAnswer(callout);
}

/** Two VMs: the call and its answer are callouts, and the reply is whole. What the host cannot hold is tried in test/e2e. */
const start = (): Pair => startPair(plugin, { apart: true });

function pass(pair: Pair, time: bigint): void {
  pair.host.now += time;
  if (pair.other !== pair.host) pair.other.now += time;
  pair.tick();
}

/** A call whose server answers with a task. */
function call(pair: Pair): { readonly stream: Stream; readonly headers: Headers } {
  const opening = ask(pair, { body: INITIALIZE });
  answerAll(pair, answerOf);
  const headers: Headers = [['mcp-session-id', valueOf(opening.reply?.headers ?? [], 'mcp-session-id') ?? '']];
  const stream = ask(pair, { headers, body: callOf('weather_get') });
  pass(pair, second);
  answerAll(pair, (callout) =>
    methodOf(callout) === 'tools/call' ? result(callout, { resultType: 'task', ...task }) : answerOf(callout),
  );
  expect(stream.reply).toBe(undefined);
  return { stream, headers };
}

test('a task that is asked for 3,000 times takes no memory for that', () => {
  const pair = start();
  const { stream } = call(pair);
  let pages = 0;
  for (let i = 0; i < 3000; i++) {
    pass(pair, second / 4n);
    expect(pair.pending.map(methodOf)).toEqual(['tasks/get']);
    answerAll(pair, (callout) => result(callout, task));
    if (i === 100) pages = pair.pages;
  }
  expect(pair.pages).toBe(pages);
  pass(pair, second);
  answerAll(pair, (callout) => result(callout, { ...task, status: 'completed', result: { content: [] } }));
  expect(stream.reply?.body.toString()).toBe('{"jsonrpc":"2.0","id":2,"result":{"content":[]}}');
});

type Said = CalloutAnswer | ((callout: Callout) => CalloutAnswer);

/** What a server can say to `tasks/get`. */
const said: fc.Arbitrary<Said> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Said>((callout) => result(callout, task)) },
  fc.constant<Said>(undefined),
  fc
    .constantFrom('', '<p>', '[]', '{}', '{"jsonrpc":"2.0","id":7,"result":{}}')
    .map((text): Said => ({ headers: json, body: Buffer.from(text) })),
  fc
    .constantFrom('204', '404', '429', '500', '503')
    .map((status): Said => ({ headers: [[':status', status]], body: Buffer.from('') })),
  fc
    .record({
      taskId: fc.constantFrom('t', 'u'),
      status: fc.constantFrom('working', 'completed', 'failed', 'cancelled', 'input_required', 'other'),
      result: fc.constantFrom<unknown>({ content: [] }, 7, null),
      error: fc.constantFrom<unknown>({ code: -1, message: 'no' }, 'x'),
      pollIntervalMs: fc.constantFrom<unknown>(0, -1, 1e9, '1', null),
      ttlMs: fc.constantFrom<unknown>(0, 5000, null, 'x'),
    })
    .map(
      (state): Said =>
        (callout) =>
          result(callout, state),
    ),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.constant('tick' as const) },
  { weight: 8, arbitrary: said.map((answer) => ({ answer })) },
  fc.constantFrom('cancel' as const, 'leave' as const, 'back' as const),
);

test('whatever comes in whatever order, a call is answered once, and its task cancelled once at most', () => {
  const seen = { answered: 0, cancelled: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
      const pair = start();
      const { stream, headers } = call(pair);
      const sent = new Set<Callout>();
      const note = (): void => {
        for (const callout of pair.pending) if (methodOf(callout).startsWith('tasks/')) sent.add(callout);
      };
      const tick = (): void => {
        pass(pair, second);
        note();
      };
      let isThere = true;
      for (const each of steps) {
        if (each === 'tick') tick();
        else if (each === 'back') pass(pair, -3600n * second);
        else if (each === 'cancel') ask(pair, { headers, body: cancel });
        else if (each === 'leave') {
          if (isThere) stream.close();
          isThere = false;
        } else {
          answerAll(pair, (callout) => {
            if (methodOf(callout) !== 'tasks/get') return answerOf(callout);
            return typeof each.answer === 'function' ? each.answer(callout) : each.answer;
          });
        }
        note();
      }
      // It ends in any case, whatever its server does.
      ask(pair, { headers, body: cancel });
      for (let i = 0; i < 5; i++) tick();
      const cancelled = [...sent].filter((callout) => methodOf(callout) === 'tasks/cancel').length;
      expect(cancelled).toBeLessThanOrEqual(1);
      seen.cancelled += cancelled;
      if (!isThere) return;
      const { id, ...rest } = JSON.parse(stream.reply?.body.toString() ?? '') as Record<string, unknown>;
      expect(id).toBe(2);
      expect(Object.keys(rest).sort()).toEqual(['jsonrpc', 'result' in rest ? 'result' : 'error'].sort());
      seen.answered++;
      stream.close();
    }),
    { numRuns: 200 },
  );
  expect(seen.answered).toBeGreaterThan(20);
  expect(seen.cancelled).toBeGreaterThan(20);
});
