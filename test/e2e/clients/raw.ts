// Requests whose bytes are the test's own: nothing is parsed, added or repaired on the way.
import { once } from 'node:events';
import { type IncomingMessage, request as request1 } from 'node:http';
import { connect } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';

export type Http = 'HTTP/1.1' | 'HTTP/2';
export const bothProtocols = ['HTTP/1.1', 'HTTP/2'] as const;

export interface RawRequest {
  readonly http?: Http;
  readonly method?: string;
  /** As it is written; the URL's unless said otherwise. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Whole, or in the pieces that it is written in. */
  readonly body?: string | Buffer | readonly (string | Buffer)[];
  /** Between two pieces, in ms. */
  readonly pause?: number;
  /** Leaves content-length out: over HTTP/1.1 the body is chunked then. */
  readonly withoutLength?: boolean;
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Behind the body of what `send` gets. */
  readonly trailers?: Readonly<Record<string, string | string[] | undefined>>;
  /** When each part of the body arrived, in ms since 1970. */
  readonly parts: readonly { readonly at: number; readonly bytes: Buffer }[];
  readonly text: string;
}

/** Sends one request on a connection of its own. */
export async function send(url: string, request: RawRequest = {}): Promise<RawAnswer> {
  return request.http === 'HTTP/2' ? overHttp2(url, request) : overHttp1(url, request);
}

function piecesOf({ body = [] }: RawRequest): Buffer[] {
  const pieces = typeof body === 'string' || Buffer.isBuffer(body) ? [body] : body;
  return pieces.map((piece) => Buffer.from(piece));
}

function headersOf(request: RawRequest, pieces: readonly Buffer[]): Record<string, string | string[]> {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const length = request.withoutLength === true || request.body === undefined ? {} : { 'content-length': String(size) };
  return { ...length, ...request.headers };
}

function pathOf({ path }: RawRequest): { path?: string } {
  return path === undefined ? {} : { path };
}

interface Sink {
  write(piece: Buffer): boolean;
}

async function writePieces(sink: Sink, pieces: readonly Buffer[], pause: number): Promise<void> {
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await sleep(pause);
    sink.write(piece);
  }
}

function collect(): { take: (bytes: Buffer) => void; parts: { at: number; bytes: Buffer }[] } {
  const parts: { at: number; bytes: Buffer }[] = [];
  return { parts, take: (bytes) => parts.push({ at: Date.now(), bytes }) };
}

function answer(
  status: number,
  headers: RawAnswer['headers'],
  trailers: NonNullable<RawAnswer['trailers']>,
  parts: readonly { at: number; bytes: Buffer }[],
): RawAnswer {
  const body = Buffer.concat(parts.map(({ bytes }) => bytes));
  return { status, headers, trailers, body, parts, text: body.toString('utf8') };
}

async function overHttp1(url: string, request: RawRequest): Promise<RawAnswer> {
  const pieces = piecesOf(request);
  const headers = headersOf(request, pieces);
  if (request.trailers !== undefined) headers['trailer'] = Object.keys(request.trailers).join(', ');
  const sent = request1(url, { method: request.method ?? 'POST', headers, agent: false, ...pathOf(request) });
  sent.on('error', () => undefined); // fails what waits for the answer; an answer that came before it stands
  sent.setNoDelay(true);
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  answered.catch(() => undefined); // awaited below, once the body is out
  await writePieces(sent, pieces, request.pause ?? 0);
  if (request.trailers !== undefined) sent.addTrailers(request.trailers);
  sent.end();
  const [response] = await answered;
  const { parts, take } = collect();
  response.on('data', take);
  await once(response, 'end');
  return answer(response.statusCode ?? 0, response.headers, response.trailers, parts);
}

async function overHttp2(url: string, request: RawRequest): Promise<RawAnswer> {
  const { origin, pathname, search } = new URL(url);
  const pieces = piecesOf(request);
  const connection = connect(origin);
  try {
    const stream = connection.request(
      {
        ':method': request.method ?? 'POST',
        ':path': request.path ?? pathname + search,
        ...headersOf(request, pieces),
      },
      { endStream: request.body === undefined, waitForTrailers: request.trailers !== undefined },
    );
    if (request.trailers !== undefined)
      stream.once('wantTrailers', () => {
        stream.sendTrailers(request.trailers ?? {});
      });
    const { parts, take } = collect();
    let trailers: NonNullable<RawAnswer['trailers']> = {};
    stream.on('data', take);
    stream.on('trailers', (fields: typeof trailers) => (trailers = fields));
    const ended = once(stream, 'end');
    stream.once('close', () => stream.emit('error', new Error('the stream was closed'))); // for what still waits
    stream.on('error', () => undefined);
    const answered = once(stream, 'response') as Promise<[RawAnswer['headers']]>;
    const done = Promise.all([answered, ended]);
    done.catch(() => undefined); // awaited below, once the body is out
    if (request.body !== undefined) {
      await writePieces(stream, pieces, request.pause ?? 0);
      stream.end();
    }
    const [[headers]] = await done;
    return answer(Number(headers[':status']), headers, trailers, parts);
  } finally {
    connection.destroy();
  }
}
