// Time inside the module, in this process: a host of JavaScript instead of Envoy, its own time taken off.
import { answerAll, ask, callOf as messageOf, LIST, openSession, startHost } from '../filter/gateway.ts';
import type { Host } from '../filter/host.ts';
import type { Headers } from '../filter/pairs.ts';
import type { Imports } from '../filter/wasm.ts';
import { callOf } from './requests.ts';

export interface ModuleFigure {
  readonly what: string;
  /** Per request. */
  readonly microseconds: number;
  readonly hostCalls: number;
}

/** Of Envoy's reads. */
const CHUNK = 16 << 10;

/** Time in host functions, and calls of them, since the last look. */
const spent = { milliseconds: 0, calls: 0 };

function clocked(imports: Imports): Imports {
  const entries = Object.entries(imports).map(([name, call]): [string, Imports[string]] => [
    name,
    (...parameters) => {
      const begin = performance.now();
      const result = call(...parameters);
      spent.milliseconds += performance.now() - begin;
      spent.calls++;
      return result;
    },
  ]);
  return Object.fromEntries(entries);
}

export function measureModule(): ModuleFigure[] {
  const host = startHost({}, { around: clocked });
  const clock = inCallbacks(host);
  const headers: Headers = [
    ...openSession(host),
    ['mcp-protocol-version', '2025-06-18'],
    ['accept', 'application/json'],
  ];
  const call = (size: number) => (): void => {
    ask(host, { headers, body: callOf('weather_get', size), chunkSize: CHUNK }).close();
  };
  const json = answerOf(1000);
  const answered = (type: string, body: Buffer) => (): void => {
    const stream = ask(host, { headers, body: callOf('weather_get', 1000), chunkSize: CHUNK });
    stream.respond(
      [
        [':status', '200'],
        ['content-type', type],
      ],
      [body],
    );
    stream.close();
  };
  return [
    figure('not for us', clock, 2000, () => {
      ask(host, { path: '/shop', method: 'GET', headers }).close();
    }),
    figure('tools/call, 1 KB', clock, 2000, call(1000)),
    figure('  and 1 KB of JSON in answer', clock, 2000, answered('application/json', json)),
    figure(
      '  and the same in an event',
      clock,
      2000,
      answered('text/event-stream', Buffer.concat([Buffer.from('event: message\ndata: '), json, Buffer.from('\n\n')])),
    ),
    figure('tools/call, 100 KB', clock, 300, call(100_000)),
    figure('tools/call, 1 MB', clock, 50, call(1_000_000)),
    figure('refused: unknown tool', clock, 2000, () => {
      ask(host, { headers, body: messageOf('tides_get') }).close();
    }),
    figure('tools/list, 2 servers', clock, 1000, () => {
      const stream = ask(host, { headers, body: LIST });
      answerAll(host);
      stream.close();
    }),
  ];
}

/** The response to `callOf`, of about that many bytes. */
function answerOf(size: number): Buffer {
  const content = [{ type: 'text', text: 'plain words, as it is said. '.repeat(size / 28) }];
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content } }));
}

/** Makes the host add up the time that it spends in callbacks of the module. */
function inCallbacks(host: Host): { milliseconds: number } {
  const clock = { milliseconds: 0 };
  const callback = host.callback.bind(host);
  host.callback = (context, name, run) => {
    const begin = performance.now();
    const result = callback(context, name, run);
    clock.milliseconds += performance.now() - begin;
    return result;
  };
  return clock;
}

/** The median of rounds, so that another process' turn does not count. */
function figure(what: string, clock: { milliseconds: number }, count: number, request: () => void): ModuleFigure {
  const rounds = 15;
  const times: number[] = [];
  spent.calls = 0;
  for (let round = 0; round < rounds; round++) {
    clock.milliseconds = 0;
    spent.milliseconds = 0;
    const before = spent.calls;
    for (let index = 0; index < count; index++) request();
    const readings = (spent.calls - before) * readingTime;
    times.push((1000 * (clock.milliseconds - spent.milliseconds - readings)) / count);
  }
  times.sort((a, b) => a - b);
  return { what, microseconds: times[rounds >> 1] ?? 0, hostCalls: spent.calls / rounds / count };
}

/** What one look at the clock adds to the time around it, in milliseconds. */
const readingTime = ((): number => {
  const count = 200_000;
  const begin = performance.now();
  for (let index = 0; index < count; index++) performance.now();
  return (performance.now() - begin) / count;
})();
