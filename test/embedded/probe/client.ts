import { once } from 'node:events';
import { Agent, type IncomingMessage, request as request1 } from 'node:http';
import { connect } from 'node:http2';
import type { ProbeRequest } from './cases.ts';
import { type Shape, type ShapeName, shapes } from './shapes.ts';

/** What a client got. */
export interface Received {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, string | string[] | undefined>>;
  /** `waits`: nothing more came for as long as the client had patience. `gone`: the client itself left. */
  readonly end: 'whole' | 'cut' | 'waits' | 'gone';
  /** Of RST_STREAM, over HTTP/2. */
  readonly code: number | undefined;
}

export interface Pacing {
  /** Waits until the headers (0), or so many pieces of the body, have come where the request says. */
  readonly seen: (parts: number) => Promise<unknown>;
  /** How long nothing may come until the client takes it that nothing will, in ms. */
  readonly patience: number;
  /** Whether the response is expected to be cut, behind its end even. */
  readonly cut: boolean;
}

/** That a body in pieces, chunks or frames is cut into. */
export const PIECES = 4;

/** Sends a request in a shape, on a connection of its own. */
export function send(
  address: string,
  request: ProbeRequest,
  shape: ShapeName,
  headers: Readonly<Record<string, string | string[]>>,
  pacing: Pacing,
): Promise<Received> {
  const url = `http://${address}`;
  return shapes[shape].http === 1
    ? overHttp1(url, request, shapes[shape], headers, pacing)
    : overHttp2(url, request, shapes[shape], headers, pacing);
}

function piecesOf({ body }: ProbeRequest, shape: Shape): Buffer[] {
  if (shape.body === 'none') return [];
  if (shape.body !== 'many' && shape.body !== 'pieces') return [body];
  const size = Math.ceil(body.length / PIECES);
  return Array.from({ length: PIECES }, (_, index) => body.subarray(index * size, (index + 1) * size));
}

interface Sink {
  write(piece: Buffer): unknown;
  end(piece?: Buffer): unknown;
  destroy(): unknown;
}

/** @returns whether the client left in the middle */
async function writePieces(
  sink: Sink,
  request: ProbeRequest,
  shape: Shape,
  pacing: Pacing,
  answered: Promise<unknown>,
  connected: Promise<unknown>,
): Promise<boolean> {
  const pieces = piecesOf(request, shape);
  const leave = async (sent: number): Promise<boolean> => {
    if (shape.body === 'none') sink.end();
    await Promise.race([connected, answered]);
    await pacing.seen(sent);
    sink.destroy();
    return true;
  };
  for (const [index, piece] of pieces.entries()) {
    if (request.abort === index) return leave(index);
    const last = index === pieces.length - 1;
    const endsWithPiece = shape.http === 2 && (shape.body === 'one' || shape.body === 'many');
    if (last && endsWithPiece && request.abort === undefined) {
      sink.end(piece);
      return false;
    }
    sink.write(piece);
    const waits = !last || ['empty end', 'many', 'pieces'].includes(shape.body);
    if (waits) await Promise.race([connected, answered]); // nothing was written before
    if (waits) await Promise.race([request.pace === 'response' ? answered : pacing.seen(index + 1), answered]);
  }
  if (request.abort !== undefined) return leave(pieces.length);
  sink.end();
  return false;
}

async function overHttp1(
  url: string,
  request: ProbeRequest,
  shape: Shape,
  headers: Readonly<Record<string, string | string[]>>,
  pacing: Pacing,
): Promise<Received> {
  const agent = new Agent({ keepAlive: true });
  const sized = shape.body === 'length' || shape.body === 'pieces';
  const length = sized ? { 'content-length': String(request.body.length) } : {};
  const trailers = shape.body === 'trailers' ? { trailer: 'x-trailer' } : {};
  const { method, path } = request;
  const sent = request1(url, { method, path, agent, headers: { ...headers, ...length, ...trailers } });
  if (shape.body === 'none') sent.useChunkedEncodingByDefault = false;
  sent.setNoDelay(true);
  const connected = new Promise<void>((resolve) => {
    sent.once('socket', (socket) => socket.once('connect', resolve));
  });
  const parts: Buffer[] = [];
  let response: IncomingMessage | undefined;
  const answered = new Promise<void>((resolve) => {
    sent.once('response', (message) => {
      response = message;
      message.once('data', () => {
        resolve();
      });
      message.once('end', resolve);
    });
    sent.once('close', resolve);
  });
  const ended = new Promise<Received['end']>((resolve) => {
    sent.once('response', (message) => {
      message.on('data', (part: Buffer) => parts.push(part));
      message.once('end', () => {
        resolve('whole');
      });
      message.on('error', () => {
        resolve('cut');
      });
      message.once('close', () => {
        resolve(message.complete ? 'whole' : 'cut');
      });
    });
    sent.on('error', () => {
      if (response === undefined) resolve('cut');
    });
  });
  try {
    if (shape.body === 'trailers') sent.addTrailers({ 'x-trailer': 'sent' });
    const left = await writePieces(sent, request, shape, pacing, answered, connected);
    const end = left ? 'gone' : await Promise.race([ended, silence(pacing.patience)]);
    return {
      status: response?.statusCode,
      headers: response?.headers ?? {},
      trailers: response?.trailers ?? {},
      body: Buffer.concat(parts),
      end,
      code: undefined,
    };
  } finally {
    sent.destroy();
    agent.destroy();
  }
}

async function silence(patience: number): Promise<'waits'> {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve('waits');
    }, patience);
  });
}

async function overHttp2(
  url: string,
  request: ProbeRequest,
  shape: Shape,
  headers: Readonly<Record<string, string | string[]>>,
  pacing: Pacing,
): Promise<Received> {
  const connection = connect(url);
  connection.on('error', () => undefined); // the stream reports it
  const connected = new Promise<void>((resolve) => {
    connection.once('connect', () => {
      resolve();
    });
  });
  const { host, ...others } = headers;
  const withTrailers = shape.body === 'trailers';
  const stream = connection.request(
    { ':method': request.method, ':path': request.path, ':authority': String(host), ...others },
    { endStream: shape.body === 'none', waitForTrailers: withTrailers },
  );
  stream.once('wantTrailers', () => {
    stream.sendTrailers({ 'x-trailer': 'sent' });
  });
  stream.on('error', () => undefined);
  const parts: Buffer[] = [];
  let received: Received['headers'] | undefined;
  let trailers: Received['trailers'] = {};
  stream.once('response', (fields) => {
    received = fields;
  });
  stream.once('trailers', (fields: Received['trailers']) => {
    trailers = fields;
  });
  const answered = Promise.race([once(stream, 'data'), once(stream, 'close')]).catch(() => undefined);
  let ended = false;
  stream.on('data', (part: Buffer) => parts.push(part));
  stream.once('end', () => {
    ended = true;
  });
  const closed = new Promise<Received['end']>((resolve) => {
    stream.once('close', () => {
      resolve(ended && stream.rstCode === 0 && !stream.aborted ? 'whole' : 'cut');
    });
    // A response that is whole before its request is: the client has what it wanted.
    stream.once('end', () => {
      if (pacing.cut) return;
      setTimeout(() => {
        if (!stream.closed && received !== undefined) resolve('whole');
      }, 300);
    });
  });
  try {
    const sink: Sink = {
      write: (piece) => stream.write(piece),
      end: (piece) => (piece === undefined ? stream.end() : stream.end(piece)),
      destroy: () => {
        connection.destroy();
      },
    };
    const nothing = shape.body === 'none' && request.abort === undefined;
    const left = nothing ? false : await writePieces(sink, request, shape, pacing, answered, connected);
    const end = left ? 'gone' : await Promise.race([closed, silence(pacing.patience)]);
    const status = received === undefined ? undefined : Number(received[':status']);
    const code = end === 'cut' ? stream.rstCode : undefined;
    return { status, headers: received ?? {}, trailers, body: Buffer.concat(parts), end, code };
  } finally {
    connection.destroy();
  }
}
