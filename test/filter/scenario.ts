// Runs the exchanges of a case, and writes down what the outside saw of each.
import type { Case, Exchange } from './cases.ts';
import { Listener } from './listener.ts';
import {
  answersIn,
  type Arrival,
  headersIn,
  type Message,
  messageIn,
  PAD,
  type Response,
  responseIn,
  section,
  whole,
} from './messages.ts';
import { type Headers, valueOf } from './pairs.ts';
import type { Stream } from './stream.ts';
import { Upstreams } from './upstreams.ts';

export interface Seen {
  /** What the outside saw: callouts, then what was sent on or replied. */
  readonly outcome: string;
  /** The host calls, in order, but for those of telemetry. */
  readonly calls: string;
  /** What is left behind of it: what was counted, and attributes of the access log. */
  readonly telemetry: string;
}

/**
 * Every request leaves telemetry, and of each metric the first one defines it: in every block of calls that would hide
 * what these are about, so it has a block of its own.
 */
const OF_TELEMETRY = /^(> on_log\b|(define_metric|increment_metric|record_metric|set_property mcp_\w+) )/;
/** When a metric is defined depends on what went before. */
const UNTOLD = /^(> on_log\b|define_metric )/;

/** Runs all exchanges of a case in a fresh listener, the body of the last one as `arrival` says. */
export function run(given: Case, arrival: (message: Message) => Arrival): Seen[] {
  const scenario = new Scenario(given);
  const named = given.exchanges.some((exchange) => [...exchange.values()].some((text) => text.includes('{session}')));
  if (given.opening !== undefined && named) scenario.run(given.opening, whole);
  return given.exchanges.map((exchange, index) =>
    scenario.run(exchange, index === given.exchanges.length - 1 ? arrival : whole),
  );
}

class Scenario {
  readonly #listener: Listener;
  #session = '';

  /** @param given of whose exchanges the last one says whether it is the first that the listener sees */
  constructor({ configuration, filters, exchanges }: Case) {
    this.#listener = new Listener(configuration, filters);
    if (exchanges.at(-1)?.has('first') !== true) this.#listener.warmUp();
    this.#listener.worker.trace.length = 0;
  }

  run(exchange: Exchange, arrival: (message: Message) => Arrival): Seen {
    const listener = this.#listener;
    const { trace } = listener.worker;
    const from = trace.length;
    listener.wait(Number(exchange.get('later') ?? 0));
    const upstreams = new Upstreams(listener, answersIn(exchange.get('answers')));
    const response = responseIn(exchange.get('response'));
    const properties = new Map(headersIn(exchange.get('properties')?.split('\n') ?? []));
    const stream = listener.open(properties, response);
    const message = this.#requestIn(exchange.get('request') ?? '');
    const parts = message.body.length === 0 ? undefined : arrival(message);
    const request = parts?.inChunks === true ? inChunks(message) : message;
    if (exchange.get('first') === 'at once') {
      listener.worker.loop.event(() => {
        send(stream, request, parts, () => undefined);
      });
    } else {
      send(stream, request, parts, () => {
        upstreams.settle();
      });
    }
    upstreams.settle();
    if (listener.withholds && !stream.over) upstreams.waitASecond();
    if (!listener.refuses) stream.resumeOthers();
    upstreams.settle();
    if (response !== undefined && !stream.over) {
      listener.wait(response.after);
      respond(stream, response);
    }
    upstreams.settle();
    stream.close();
    // What was begun in vain is ended.
    if (listener.pending.length > 0) upstreams.settle();
    upstreams.end();
    const text = [...upstreams.seen, ...this.#ending(stream)].join('\n\n');
    const lines = withoutIdleTicks(trace.slice(from));
    const telemetry = lines.filter((line) => OF_TELEMETRY.test(line) && !UNTOLD.test(line));
    return {
      outcome: this.#readable(text),
      calls: this.#readable(lines.filter((line) => !OF_TELEMETRY.test(line)).join('\n')),
      telemetry: telemetry.join('\n'),
    };
  }

  #ending(stream: Stream): string[] {
    const { forwarded, reply, response } = stream;
    if (reply !== undefined) this.#session = valueOf(reply.headers, 'mcp-session-id') ?? this.#session;
    const sections: string[] = [];
    if (forwarded !== undefined && this.#listener.isUndecided(forwarded.headers))
      sections.push('undecided at its route');
    else if (forwarded !== undefined) {
      if (!forwarded.ended) refuseComplete(forwarded.body);
      sections.push(
        forwarded.ended
          ? section('forwarded', forwarded.headers, forwarded.body)
          : section('forwarded, but not to its end', forwarded.headers, Buffer.alloc(0)),
      );
    }
    if (reply !== undefined) sections.push(section(`reply ${reply.status}`, reply.headers, reply.body));
    if (response !== undefined) sections.push(section('response', response.headers, response.body));
    if (sections.length === 0) throw new Error('the request hangs: neither sent on nor answered');
    return sections;
  }

  #requestIn(text: string): Message {
    const session = this.#session;
    const message = messageIn(text.replaceAll('{session}', session));
    const { first, headers, body } = message;
    const [method = '', path = ''] = first.split(' ');
    const all: Headers = [
      [':authority', valueOf(headers, ':authority') ?? 'mcp.example.com'],
      [':method', method],
      [':path', path],
      [':scheme', 'http'],
    ];
    if (body.length > 0) {
      all.push(['accept', 'application/json, text/event-stream'], ['content-type', 'application/json']);
      if (valueOf(headers, 'transfer-encoding') === undefined) all.push(['content-length', String(body.length)]);
    }
    return { ...message, headers: [...all, ...headers.filter(([name]) => !name.startsWith(':'))] };
  }

  #readable(text: string): string {
    // How much had come when a limit was met is a matter of chunks.
    const padded = text.replaceAll(PAD, '{pad}').replace(/(had read|allows:) \d+ bytes/, '$1 {count} bytes');
    return this.#session === '' ? padded : padded.replaceAll(this.#session, '{session}');
  }
}

function inChunks(message: Message): Message {
  const headers: Headers = message.headers.map(([name, value]) =>
    name === 'content-length' ? ['transfer-encoding', 'chunked'] : [name, value],
  );
  return { ...message, headers };
}

/** The parts of a request, and what happens between them, unless they come at once. */
function send(stream: Stream, request: Message, arrival: Arrival | undefined, between: () => void): void {
  stream.requestHeaders(request.headers, arrival === undefined);
  if (arrival === undefined) return;
  const { chunks, end } = arrival;
  between();
  for (const [index, chunk] of chunks.entries()) {
    stream.requestBody(chunk, end === 'last' && index === chunks.length - 1);
    between();
  }
  if (end === 'empty') stream.requestBody(Buffer.alloc(0), true);
  else if (end === 'trailers') stream.requestTrailers([]);
}

function respond(stream: Stream, { status, headers, body, details, cut }: Response): void {
  stream.respond([[':status', String(status)], ...headers], body.length === 0 ? [] : [body], details, cut);
}

/** What an upstream would take for a whole request must not reach it while we may still think otherwise. */
function refuseComplete(body: Buffer): void {
  try {
    JSON.parse(body.toString());
  } catch {
    return;
  }
  throw new Error('a request that was cut off looks complete to its upstream');
}

/** Of ticks one after the other that are alike, the first is enough to read. */
function withoutIdleTicks(lines: readonly string[]): string[] {
  const parts: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('> ') || parts.length === 0) parts.push([]);
    parts.at(-1)?.push(line);
  }
  const same = (part: readonly string[], other: readonly string[] = []): boolean => part.join() === other.join();
  return parts.filter((part, at) => part[0] !== '> on_tick' || !same(part, parts[at - 1])).flat();
}
