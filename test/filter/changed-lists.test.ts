// GET where the stream of no server can pass: its client learns whether lists have changed since the id that it sends.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { parseEvents } from './changed-lists.ts';
import { answerAll, ask, reasonOf, startHost, startPair, usualAnswer } from './gateway.ts';
import type { Host } from './host.ts';
import { type Headers, valueOf } from './pairs.ts';

const told = { sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }], listChanged: true } };
const CHANGED = ['tools', 'prompts', 'resources'].map((noun) => `notifications/${noun}/list_changed`);

type Gateway = Parameters<typeof ask>[0];

const opening = (revision: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: revision } });

/** A session of that revision, and what its `initialize` answered. */
function begin(gateway: Gateway, revision = '2025-11-25'): { session: Headers; capabilities: object } {
  const stream = ask(gateway, { body: opening(revision) });
  answerAll(gateway);
  const id = valueOf(stream.reply?.headers ?? [], 'mcp-session-id') ?? '';
  const { result } = JSON.parse(stream.reply?.body.toString() ?? '') as { result: { capabilities: object } };
  stream.close();
  return { session: [['mcp-session-id', id]], capabilities: result.capabilities };
}

/** What a GET is answered with. */
function get(gateway: Gateway, session: Headers, lastEventId?: string) {
  const last: Headers = lastEventId === undefined ? [] : [['last-event-id', lastEventId]];
  const stream = ask(gateway, { method: 'GET', headers: [...session, ['accept', 'text/event-stream'], ...last] });
  const text = stream.reply?.body.toString() ?? '';
  const answer = {
    status: stream.reply?.status,
    type: valueOf(stream.reply?.headers ?? [], 'content-type'),
    reason: reasonOf(stream),
    ...parseEvents(text),
    text,
  };
  stream.close();
  return answer;
}

test('it is told of nothing at first, and is offered to be told', () => {
  const host = startHost(told);
  const { session, capabilities } = begin(host);
  expect(capabilities).toEqual({ tools: { listChanged: true } });
  const first = get(host, session);
  expect(first).toMatchObject({ status: 200, type: 'text/event-stream', methods: [], retry: '30000' });
  expect(first.text).toMatch(/^retry: 30000\nid: [0-9a-f]{16}-1\ndata:\n\n$/);
});

test('each id is another one than the one before, for as long as nothing changes', () => {
  const host = startHost(told);
  const { session } = begin(host);
  const ids: (string | undefined)[] = [undefined];
  for (let i = 0; i < 12; i++) {
    const { id, methods } = get(host, session, ids.at(-1));
    expect(methods).toEqual([]);
    ids.push(id);
  }
  expect(new Set(ids).size).toBe(13);
  const [generation] = ids[1]?.split('-') ?? [];
  expect(ids.slice(1)).toEqual(Array.from({ length: 12 }, (_, i) => `${generation ?? ''}-${i + 1}`));
  expect(get(host, session, `${generation ?? ''}-999999999`)).toMatchObject({
    id: `${generation ?? ''}-1`,
    methods: [],
  });
});

const more = { ...told, virtualServers: [{ name: 'a/b', tools: ['notes_*'] }] };

test('another configuration is told of twice, under one id on all replicas that have it, and to each session once more', () => {
  const before = startHost(told);
  const { session } = begin(before);
  const { id } = get(before, session);
  const replicas = [startHost(more), startHost(more, { seed: 9 })];
  const first = replicas.map((host) => get(host, session, id));
  for (const each of first) expect(each).toMatchObject({ status: 200, methods: [CHANGED[0]] });
  expect(new Set(first.map((each) => each.id)).size).toBe(1);
  const [host] = replicas as [Host];
  const second = get(host, session, first[0]?.id);
  expect(second.methods).toEqual([CHANGED[0]]);
  const third = get(host, session, second.id);
  expect(third.methods).toEqual([]);
  expect(new Set([id, first[0]?.id, second.id, third.id]).size).toBe(4);
  expect(get(before, session, third.id).methods, 'the one from before again').toEqual([CHANGED[0]]);
});

test('what no list depends on is not told of', () => {
  const hosts = [{}, { log: 'debug' }, { hosts: ['mcp.example.com'] }, { publicUrl: 'https://mcp.example.com' }].map(
    (plugin) => startHost({ ...told, ...plugin }),
  );
  const [host] = hosts as [Host];
  const { session } = begin(host);
  const { id } = get(host, session);
  for (const each of hosts) expect(get(each, session, id).methods).toEqual([]);
});

test('all that a session is offered is told of, and only the last event has the id', () => {
  const answer = (callout: Callout): CalloutAnswer => {
    const usual = usualAnswer(callout);
    const text = (usual?.body.toString() ?? '').replace(
      '"tools":{}',
      '"tools":{},"prompts":{},"resources":{"subscribe":true}',
    );
    return { headers: usual?.headers ?? [], body: Buffer.from(text) };
  };
  const host = startHost(told);
  const stream = ask(host, { body: opening('2025-11-25') });
  answerAll(host, answer);
  const reply = stream.reply;
  expect(reply?.body.toString()).toContain(
    '"capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true}}',
  );
  const session: Headers = [['mcp-session-id', valueOf(reply?.headers ?? [], 'mcp-session-id') ?? '']];
  stream.close();
  const { methods, text } = get(host, session, 'of-before');
  expect(methods).toEqual(CHANGED);
  expect(text.match(/^id: /gm)).toHaveLength(1);
  expect(text.split('\n\n').findIndex((event) => event.startsWith('id: '))).toBe(2);
});

test('nobody is told who did not negotiate events without data, or where nobody is to be', () => {
  const host = startHost(told);
  const old = begin(host, '2025-06-18');
  expect(old.capabilities).toEqual({ tools: {} });
  expect(get(host, old.session)).toMatchObject({ status: 405, reason: 'method_not_allowed' });
  const quiet = startHost();
  const { session, capabilities } = begin(quiet);
  expect(capabilities).toEqual({ tools: {} });
  expect(get(quiet, session)).toMatchObject({ status: 405, reason: 'method_not_allowed' });
});

test('with a catalog everybody is told, unless the configuration says no', () => {
  const servers = [
    { name: 'weather', cluster: 'weather' },
    { name: 'notes', cluster: 'notes' },
  ];
  const catalog = { cluster: 'plugin-server', namespace: 'team', clusters: ['*'] };
  const usual = startHost({ servers, catalog });
  expect(get(usual, begin(usual).session)).toMatchObject({ status: 200 });
  const never = startHost({ servers, catalog, sessions: { ...told.sessions, listChanged: false } });
  expect(get(never, begin(never).session)).toMatchObject({ status: 405 });
});

test('who has no session, or a wrong one, is refused as with any GET', () => {
  const host = startHost(told);
  const { session } = begin(host);
  expect(get(host, [])).toMatchObject({ status: 405, reason: 'method_not_allowed' });
  expect(get(host, [['mcp-session-id', 'gone']])).toMatchObject({ status: 404, reason: 'session_unknown' });
  const own = get(host, session).id;
  const other = startHost({ ...told, name: 'other' });
  expect(get(other, session, own)).toMatchObject({ status: 404, reason: 'session_unknown' });
});

test('whatever is sent as the last id is answered within a bound, and never repeated', () => {
  const pair = startPair(told);
  for (const gateway of [startHost(told), pair, startPair(told, { apart: true })]) {
    const { session } = begin(gateway);
    const own = get(gateway, session).id ?? '';
    const [generation = ''] = own.split('-');
    const odd = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef-')), maxLength: 40 }),
      fc.string({ unit: 'binary-ascii', maxLength: 12 }).map((end) => `${generation}-${end}`),
      fc.nat({ max: 2_000_000_000 }).map((count) => `${generation}-${count}`),
      fc.nat({ max: own.length }).map((end) => own.slice(0, end)),
      fc.constantFrom('x'.repeat(1 << 20), `${generation}-${'0'.repeat(1 << 20)}`, `${own}\u0000`, own.toUpperCase()),
    );
    fc.assert(
      fc.property(odd, (last) => {
        const { status, text, id } = get(gateway, session, last);
        expect(status).toBe(200);
        expect(text.length).toBeLessThan(512);
        expect(text).toMatch(/^retry: 30000\n(data: [^\n]*\n\n){0,2}id: [0-9a-f]{16}-\d{1,9}\ndata:[^\n]*\n\n$/);
        expect(id).not.toBe(last);
      }),
      { numRuns: 300 },
    );
  }
});

test('the id tells nothing of the configuration to who does not have the key', () => {
  const key = (byte: number) => ({ SLUICE_KEY_1: Buffer.alloc(32, byte).toString('base64url') });
  const ids = [1, 2].map((byte) => {
    const host = startHost(told, { environment: key(byte) });
    return get(host, begin(host).session).id;
  });
  expect(new Set(ids).size).toBe(2);
});
