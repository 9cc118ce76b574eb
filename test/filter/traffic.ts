// Requests of all kinds at once, step by step: whatever may happen to one can happen between the steps of another.
import fc from 'fast-check';
import { answerAll, callOf, type Gateway, INITIALIZE, LIST, openSession, usualAnswer } from './gateway.ts';
import type { Headers } from './pairs.ts';
import type { Stream } from './stream.ts';

const SLOTS = 4;

/** What can happen next; `at` is the slot of the request, `n` which or how much of it. */
export interface Step {
  readonly what: (typeof STEPS)[number];
  readonly at: number;
  readonly n: number;
}

const STEPS = [
  ...['begin', 'part', 'part', 'part', 'end', 'trailers', 'close', 'answer', 'reset', 'respond', 'fail'],
  ...['resume', 'tick', 'configure', 'stray', 'name', 'unknown'],
] as const;

/** Steps of one event are taken before what they post. */
export const events: fc.Arbitrary<Step[][]> = fc.array(
  fc.array(fc.record({ what: fc.constantFrom(...STEPS), at: fc.nat(SLOTS - 1), n: fc.nat(600) }), {
    minLength: 1,
    maxLength: 4,
  }),
  { maxLength: 40 },
);

/** Small enough that everything is met. */
export const LIMITS = { heldBody: 300, bufferedBytes: 3000, drainBytes: 100, requestBody: 900 };

const BODIES = [
  callOf('weather_get'),
  callOf('weather_get', 250),
  callOf('notes_add', 500),
  callOf('weather_get', 2000),
  callOf('weather_get', 500).replace('}}}', '},"name":"notes_add"}}'),
  callOf('tides_get', 300),
  LIST,
  INITIALIZE,
  '{"jsonrpc":"2.0","method":"notifications/cancelled"}',
  '{"jsonrpc":"2.0","id":1,"method":',
  'x'.repeat(400),
].map((text) => Buffer.from(text));

/** What headers say of a body: nothing over HTTP/2, unless its sender knows its length. */
const FRAMINGS: readonly ((length: number) => Headers)[] = [
  () => [],
  (length) => [['content-length', String(length)]],
  () => [['transfer-encoding', 'chunked']],
  () => [
    ['transfer-encoding', 'chunked'],
    ['trailer', 'x-checksum'],
  ],
  () => [['trailer', 'x-checksum']],
];

interface Slot {
  readonly stream: Stream;
  rest: Buffer;
  done: boolean;
}

/** The requests of one gateway. */
export class Traffic {
  readonly #gateway: Gateway;
  #session: Headers;
  readonly #slots = new Map<number, Slot>();

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#session = openSession(gateway);
  }

  take(event: readonly Step[]): void {
    this.#gateway.worker.loop.event(() => {
      for (const step of event) this.#step(step);
    });
  }

  /** Ends all requests as a patient client and servers that work would. @returns those that hang all the same */
  end(): Stream[] {
    for (const slot of this.#slots.values()) {
      this.#finish(slot);
      slot.stream.resumeOthers();
    }
    // What is found out with a tick may lead to callouts.
    for (let round = 0; round < 8; round++) {
      answerAll(this.#gateway);
      this.#gateway.tick();
    }
    answerAll(this.#gateway);
    const streams = [...this.#slots.values()].map(({ stream }) => stream);
    this.#slots.clear();
    const hanging = streams.filter((stream) => !stream.over && stream.forwarded?.ended !== true);
    for (const stream of streams) stream.close();
    // One of them may have ended it, and a session that is none tries nothing.
    this.#session = openSession(this.#gateway);
    return hanging;
  }

  #step({ what, at, n }: Step): void {
    const { worker, pending } = this.#gateway;
    const slot = this.#slots.get(at);
    const callout = pending[n % Math.max(pending.length, 1)];
    switch (what) {
      case 'begin':
        slot?.stream.close();
        this.#slots.set(at, this.#begin(n));
        break;
      case 'part':
        if (slot !== undefined) this.#send(slot, n);
        break;
      case 'end':
        if (slot !== undefined) this.#finish(slot);
        break;
      case 'trailers':
        if (slot?.done === false) {
          slot.done = true;
          slot.stream.requestTrailers([]);
        }
        break;
      case 'close':
        slot?.stream.close();
        this.#slots.delete(at);
        break;
      case 'answer':
        if (callout !== undefined) this.#gateway.answer(callout, usualAnswer(callout));
        break;
      case 'reset':
        if (callout !== undefined) this.#gateway.answer(callout, undefined);
        break;
      case 'respond':
        if (slot !== undefined) respond(slot.stream, RESPONSES[n % RESPONSES.length] ?? '200');
        break;
      case 'fail':
        if (slot?.stream.isResponding === false) fail(slot.stream, n);
        break;
      case 'resume':
        slot?.stream.resumeOthers();
        break;
      case 'tick':
        this.#gateway.tick();
        break;
      case 'configure':
        if (!this.#gateway.configure()) throw new Error('a configuration is refused that was good before');
        break;
      case 'stray':
      case 'name':
        for (const queue of worker.queues.values()) {
          queue.messages.push(what === 'name' ? contextOf(slot, n) : Buffer.alloc(n % 10, n));
          worker.loop.post(queue.tell);
        }
        break;
      case 'unknown':
        this.#gateway.callUnknown(1_000_000 + n);
    }
  }

  #begin(n: number): Slot {
    const stream = this.#gateway.open();
    const rest = BODIES[n % BODIES.length] ?? Buffer.alloc(0);
    const headers: Headers = [
      [':authority', 'mcp.example.com'],
      [':method', n % 13 === 0 ? 'DELETE' : 'POST'],
      [':path', n % 19 === 0 ? '/shop' : '/mcp'],
      ...(n % 7 === 0 ? [] : this.#session),
      ...(FRAMINGS[n % FRAMINGS.length]?.(rest.length) ?? []),
    ];
    const done = n % 17 === 0;
    stream.requestHeaders(headers, done);
    return { stream, rest, done };
  }

  #send(slot: Slot, n: number): void {
    if (slot.done || slot.rest.length === 0) return;
    slot.stream.requestBody(slot.rest.subarray(0, n), false);
    slot.rest = slot.rest.subarray(n);
  }

  #finish(slot: Slot): void {
    if (slot.done) return;
    slot.done = true;
    slot.stream.requestBody(slot.rest, true);
  }
}

const RESPONSES = ['200', '404', '500', '401'];

function respond(stream: Stream, status: string): void {
  if (stream.forwarded === undefined || stream.isResponding) return;
  stream.respond([[':status', status]], [Buffer.from('{}'), Buffer.alloc(0)]);
}

/** Envoy answers by itself, wherever the request is. */
function fail(stream: Stream, n: number): void {
  const details = ['request_payload_too_large', 'stream_idle_timeout', 'local_rate_limited'][n % 3] ?? '';
  stream.respond([[':status', '503']], [Buffer.from('no')], details);
}

/** A message that names a stream, as those of the module do. */
function contextOf(slot: Slot | undefined, n: number): Buffer {
  const ids = slot?.stream.contexts ?? [];
  const message = Buffer.alloc(4);
  message.writeUInt32LE(ids[n % Math.max(ids.length, 1)] ?? n);
  return message;
}
