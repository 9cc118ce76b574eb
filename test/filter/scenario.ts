// Runs the exchanges of a case, and writes down what the outside saw of each.
import type { Case, Exchange } from './cases.ts';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { Listener } from './listener.ts';
import { type Headers, valueOf } from './pairs.ts';
import type { LocalReply } from './encoding.ts';
import type { Stream } from './stream.ts';

/** How a body arrives: its chunks, and whether the last of them says that it is. */
export interface Arrival {
  readonly chunks: readonly Buffer[];
  /** HTTP/1 tells the end by an empty chunk, HTTP/2 with the last one, and both by trailers where there are some. */
  readonly end: 'empty' | 'last' | 'trailers';
}

export interface Seen {
  /** What the outside saw: callouts, then what was sent on or replied. */
  readonly outcome: string;
  /** The host calls, in order, but for those of the record. */
  readonly calls: string;
  /** What is left behind of it: what was counted, and attributes of the access log. */
  readonly record: string;
}

export interface Message {
  readonly first: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Where the first chunk ends: the place of `¦` in the body as it was written; 0 where there is none. */
  readonly mark: number;
}

/** Large enough to be released before it has come whole. */
const PAD = 'x'.repeat(70_000);

/**
 * Every request leaves a record, and of each metric the first one defines it: in every block of calls that would hide
 * what these are about, so it has a block of its own.
 */
const OF_RECORD = /^(> on_log\b|(define_metric|increment_metric|record_metric|set_property mcp_\w+) )/;
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

/** As HTTP/1 delivers a body that comes in one piece; in two where the case says so. */
export function whole({ body, mark }: Message): Arrival {
  return { chunks: mark === 0 ? [body] : [body.subarray(0, mark), body.subarray(mark)], end: 'empty' };
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
    const request = this.#requestIn(exchange.get('request') ?? '');
    const answers = answersIn(exchange.get('answers'));
    listener.wait(BigInt(exchange.get('later') ?? 0));
    const seen: string[] = [];
    const told = new Set<Callout>();
    const tell = (): void => {
      for (const callout of listener.pending) {
        if (told.has(callout)) continue;
        told.add(callout);
        const { cluster, timeout, headers, body } = callout;
        seen.push(section(`callout ${cluster} ${timeout} ms`, headers, body));
      }
    };
    /** One thing after another: time passes, and answers come. */
    const settle = (): void => {
      listener.tick();
      tell();
      while (listener.pending.length > 0) {
        const answer = answers.shift();
        const callout = listener.pending.find(({ cluster }) => cluster === answer?.cluster);
        if (answer === undefined || callout === undefined) {
          throw new Error(`no answer for ${listener.pending[0]?.cluster ?? ''}, or one that nobody waits for`);
        }
        if (answer.after > 0) listener.wait(BigInt(answer.after));
        listener.answer(callout, answer.to(callout));
        tell();
      }
    };

    const response = responseIn(exchange.get('response'));
    const properties = new Map(headersIn(exchange.get('properties')?.split('\n') ?? []));
    const stream = listener.open(properties, response);
    const ended = request.body.length === 0;
    const begin = (): void => {
      stream.requestHeaders(request.headers, ended);
    };
    const chunks = ended ? undefined : arrival(request);
    if (exchange.get('first') === 'at once') {
      listener.worker.loop.event(() => {
        begin();
        if (chunks !== undefined) deliver(stream, chunks, () => undefined);
      });
    } else {
      begin();
      settle();
      if (chunks !== undefined) deliver(stream, chunks, settle);
    }
    settle();
    stream.resumeOthers();
    settle();
    if (response !== undefined && stream.response === undefined) {
      const body = response.body.length === 0 ? [] : [response.body];
      stream.respond([[':status', String(response.status)], ...response.headers], body, response.details);
      settle();
    }
    if (answers.length > 0) throw new Error(`${answers.length} answers that nobody asked for`);
    const text = [...seen, ...this.#ending(stream)].join('\n\n');
    stream.close();
    const lines = trace.slice(from);
    const record = lines.filter((line) => OF_RECORD.test(line) && !UNTOLD.test(line));
    return {
      outcome: this.#readable(text),
      calls: this.#readable(lines.filter((line) => !OF_RECORD.test(line)).join('\n')),
      record: record.join('\n'),
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
    const { first, headers, body, mark } = messageIn(text.replaceAll('{session}', session));
    const [method = '', path = ''] = first.split(' ');
    const all: Headers = [
      [':authority', valueOf(headers, ':authority') ?? 'mcp.example.com'],
      [':method', method],
      [':path', path],
      [':scheme', 'http'],
    ];
    if (body.length > 0) {
      all.push(['accept', 'application/json, text/event-stream'], ['content-type', 'application/json']);
      all.push(['content-length', String(body.length)]);
    }
    return { first, headers: [...all, ...headers.filter(([name]) => !name.startsWith(':'))], body, mark };
  }

  #readable(text: string): string {
    // How much had come when a limit was met is a matter of chunks.
    const padded = text.replaceAll(PAD, '{pad}').replace(/(had read|allows:) \d+ bytes/, '$1 {count} bytes');
    return this.#session === '' ? padded : padded.replaceAll(this.#session, '{session}');
  }
}

/** @param step between two parts */
function deliver(stream: Stream, { chunks, end }: Arrival, step: () => void): void {
  for (const [index, chunk] of chunks.entries()) {
    stream.requestBody(chunk, end === 'last' && index === chunks.length - 1);
    step();
  }
  if (end === 'empty') stream.requestBody(Buffer.alloc(0), true);
  else if (end === 'trailers') stream.requestTrailers([]);
}

/** Its status, and what Envoy calls its origin. */
function responseIn(text: string | undefined): LocalReply | undefined {
  if (text === undefined) return undefined;
  const { first, headers, body } = messageIn(text);
  const [status = '', details = ''] = first.split(' ');
  return { status: Number(status), details, headers, body };
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

interface Answer {
  readonly cluster: string;
  /** Seconds. */
  readonly after: number;
  to(callout: Callout): CalloutAnswer;
}

/** `---` between answers; `ID` in one stands for the id of the request that it answers. */
function answersIn(text: string | undefined): Answer[] {
  if (text === undefined) return [];
  return text.split(/^---\n/m).map((part) => {
    const { first, headers, body } = messageIn(part.replace(/\n$/, ''));
    const [cluster = '', status = '', , after = '0'] = first.split(' ');
    return {
      cluster,
      after: Number(after),
      to: (callout) =>
        status === 'reset'
          ? undefined
          : { headers: [[':status', status], ...headers], body: Buffer.from(withId(body.toString(), callout)) },
    };
  });
}

function withId(text: string, { body }: Callout): string {
  return text.replaceAll(/\bID\b/g, /"id":("[^"]*")/.exec(body.toString())?.[1] ?? 'null');
}

/** A first line, headers, and behind an empty line a body. */
export function messageIn(text: string): Message {
  const gap = text.indexOf('\n\n');
  const [first = '', ...lines] = (gap < 0 ? text : text.slice(0, gap)).split('\n');
  const marked = (gap < 0 ? '' : text.slice(gap + 2)).replaceAll('{pad}', PAD);
  const mark = Math.max(Buffer.byteLength(marked.slice(0, Math.max(marked.indexOf('¦'), 0))), 0);
  return {
    first,
    headers: headersIn(lines),
    body: bytesOf(marked.replace('¦', '')),
    mark,
  };
}

function headersIn(lines: readonly string[]): Headers {
  return lines.map((line) => {
    const colon = line.indexOf(':', 1);
    return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
  });
}

/** `\xNN` is that byte. */
function bytesOf(text: string): Buffer {
  return Buffer.concat(
    text
      .split(/(\\x[0-9a-f]{2})/)
      .map((part) => (/^\\x[0-9a-f]{2}$/.test(part) ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part))),
  );
}

function section(title: string, headers: Headers, body: Buffer): string {
  const head = [title, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return body.length === 0 ? head : `${head}\n\n${body.toString()}`;
}
