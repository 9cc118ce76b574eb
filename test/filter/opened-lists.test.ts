// Lists of the cache that a VM has opened: whose pages a request has while others replace them, and what they may hold.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { answerAll, ask, callOf, LIST, listOf, openSession, reasonOf, startHost, usualAnswer } from './gateway.ts';
import type { Callout, CalloutAnswer } from './callouts.ts';
import type { Stream } from './stream.ts';

const MINUTE = 60_000_000_000n;
const cached = { ttl: '30s', scope: 'shared' };
const servers = [
  { name: 'weather', cluster: 'weather', listCache: cached },
  { name: 'notes', cluster: 'notes' },
];

test('a list that waits for another server keeps what it has, though the cache has another list by then', () => {
  const host = startHost({ servers });
  const headers = openSession(host);
  list(answering('first'));
  const waiting = ask(host, { headers, body: LIST });
  host.now += MINUTE;
  list(answering('second'));
  const again = ask(host, { headers, body: LIST });
  answerAll(host, answering('third'));
  expect(namesIn(waiting)).toEqual(['weather_first', 'notes_third']);
  expect(namesIn(again)).toEqual(['weather_second', 'notes_third']);
  for (const stream of [waiting, again]) stream.close();

  function list(answer: (callout: Callout) => CalloutAnswer): void {
    // The one that waits is not answered here.
    const before = new Set(host.pending);
    const stream = ask(host, { headers, body: LIST });
    for (let next = fresh(); next !== undefined; next = fresh()) host.answer(next, answer(next));
    stream.close();

    function fresh(): Callout | undefined {
      return host.pending.find((callout) => !before.has(callout));
    }
  }
});

test('a request that is gone gives back what it had of a list', () => {
  const host = startHost({ servers });
  const headers = openSession(host);
  const run = (count: number): void => {
    for (let index = 0; index < count; index++) {
      const stream = ask(host, { headers, body: LIST });
      if (index % 2 === 0) stream.close();
      answerAll(host, (callout) => listOf(callout, 100_000));
      stream.close();
      host.now += MINUTE;
    }
  };
  run(20);
  const before = host.pages;
  run(500);
  expect(host.pages).toBe(before);
});

test('lists of many sessions are held up to a limit', () => {
  const host = startHost({
    servers: [{ name: 'weather', cluster: 'weather', listCache: { ttl: '1h', scope: 'session' } }],
  });
  const run = (count: number): void => {
    for (let index = 0; index < count; index++) {
      const headers = openSession(host);
      for (let time = 0; time < 2; time++) {
        const stream = ask(host, { headers, body: LIST });
        answerAll(host, (callout) => listOf(callout, 200_000));
        expect(namesIn(stream)).toHaveLength(1);
        stream.close();
      }
    }
  };
  run(150);
  const before = host.pages;
  run(300);
  // 90 MB of lists.
  expect(host.pages - before).toBeLessThan(32);
});

test('ten thousand tools take no VM more than four times their bytes: not the one that asks, nor one that opens their lists', () => {
  const [count, each] = [100, 100];
  const many = Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    cluster: `s${index}`,
    listCache: { ttl: '1h', scope: 'shared' },
  }));
  const description = 'd'.repeat(280);
  const tools = Array.from({ length: each }, (_, index) => {
    return { name: `get_${index}`, description, inputSchema: { type: 'object' } };
  });
  const host = startHost({ servers: many });
  const headers = openSession(host);
  const other = startHost({ servers: many }, { worker: host.worker, seed: 2 });
  for (const vm of [host, other]) {
    const before = vm.module.memory.buffer.byteLength;
    let size = 0;
    for (let time = 0; time < 5; time++) {
      const stream = ask(vm, { headers, body: LIST });
      answerAll(vm, listing(tools));
      expect(namesIn(stream)).toHaveLength(count * each);
      size = stream.reply?.body.length ?? 0;
      stream.close();
    }
    expect(vm.module.memory.buffer.byteLength - before).toBeLessThan(4 * size);
  }
});

test('a name that no list has is refused, in the VM that has opened the list and in one that has not', () => {
  const host = startHost({ servers });
  const headers = openSession(host);
  const stream = ask(host, { headers, body: LIST });
  answerAll(host);
  stream.close();
  const fresh = startHost({ servers }, { worker: host.worker, seed: 2 });
  for (const vm of [host, fresh, fresh]) {
    const refused = ask(vm, { headers, body: callOf('weather_tides') });
    expect(reasonOf(refused)).toBe('unknown_tool');
    refused.close();
    const called = ask(vm, { headers, body: callOf('weather_get') });
    expect(called.forwarded).toBeDefined();
    called.close();
  }
});

test('a list that waits keeps what its own configuration says of tools, though one with other pins reads the same list', () => {
  const digest = createHash('sha256').update('{"inputSchema":{"type":"object"},"name":"get"}').digest('hex');
  const pinned = { weather_get: `sha256:${digest}` };
  const sessions = { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] };
  const host = startHost({ servers, pins: { tools: {}, unpinned: 'hide' } });
  const headers = openSession(host);
  const warm = ask(host, { headers, body: LIST });
  answerAll(host);
  expect(namesIn(warm)).toEqual([]);
  const waiting = ask(host, { headers, body: LIST });
  expect(host.configure(JSON.stringify({ sessions, servers, pins: { tools: pinned } }))).toBe(true);
  const under = ask(host, { headers, body: LIST });
  answerAll(host);
  expect(namesIn(under)).toEqual(['weather_get']);
  expect(namesIn(waiting)).toEqual([]);
  for (const stream of [warm, waiting, under]) stream.close();
});

/** Its list is one tool of that name. */
function answering(name: string): (callout: Callout) => CalloutAnswer {
  return listing([{ name, inputSchema: { type: 'object' } }]);
}

function listing(tools: readonly object[]): (callout: Callout) => CalloutAnswer {
  return (callout) => {
    const answer = usualAnswer(callout);
    if (answer === undefined) throw new Error('no answer');
    const body = answer.body.toString().replace(/"tools":\[.*\]/, `"tools":${JSON.stringify(tools)}`);
    return { headers: answer.headers, body: Buffer.from(body) };
  };
}

function namesIn({ reply }: Stream): string[] {
  const { result } = JSON.parse(reply?.body.toString() ?? '') as { result: { tools: { name: string }[] } };
  return result.tools.map(({ name }) => name);
}
