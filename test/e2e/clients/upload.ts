// A request whose body the test sends bit by bit, and need not finish.
import { once } from 'node:events';
import { type IncomingMessage, request as request1 } from 'node:http';
import { type ClientHttp2Stream, connect } from 'node:http2';
import type { RawAnswer } from './raw.ts';
import { mcpHeaders } from './session.ts';

/** How the length of a body is told. */
export const framings = ['HTTP/1.1 in chunks', 'HTTP/1.1 with a length', 'HTTP/2'] as const;
export type Framing = (typeof framings)[number];

export interface UploadOptions {
  readonly framing: Framing;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the whole body; needed where a length is told. */
  readonly size: number;
  /** Sent behind the body whether the headers announce them or not. */
  readonly trailers?: Readonly<Record<string, string>>;
}

export interface Upload {
  /** Resolves when the connection took them, or is gone: whoever reads no more does not hold the writer up. */
  write(bytes: Buffer): Promise<void>;
  end(): void;
  /** The end of the response; fails with the connection. */
  readonly answer: Promise<RawAnswer>;
  /** Goes away, as a client that was ended. */
  leave(): void;
}

/** POSTs on a connection of its own. */
export function upload(url: string, options: UploadOptions): Upload {
  const begun = options.framing === 'HTTP/2' ? overHttp2(url, options) : overHttp1(url, options);
  begun.answer.catch(() => undefined); // whoever waits for it is told
  return begun;
}

interface Pipe {
  readonly destroyed: boolean;
  write(bytes: Buffer, taken: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

const written = (pipe: Pipe, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const taken = (): void => {
      pipe.off('close', taken);
      resolve();
    };
    pipe.once('close', taken);
    if (pipe.destroyed) taken();
    else pipe.write(bytes, taken);
  });

async function collected(
  status: number,
  headers: RawAnswer['headers'],
  response: AsyncIterable<unknown>,
): Promise<RawAnswer> {
  const parts: { at: number; bytes: Buffer }[] = [];
  for await (const bytes of response) parts.push({ at: Date.now(), bytes: bytes as Buffer });
  const body = Buffer.concat(parts.map(({ bytes }) => bytes));
  return { status, headers, parts, body, text: body.toString('utf8') };
}

function overHttp1(url: string, { framing, headers, size, trailers }: UploadOptions): Upload {
  const length = framing === 'HTTP/1.1 with a length' ? { 'content-length': String(size) } : {};
  const sent = request1(url, { method: 'POST', headers: { ...mcpHeaders, ...length, ...headers }, agent: false });
  sent.setNoDelay(true);
  const response = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.on('error', () => undefined); // fails what waits for the answer; one that came before it stands
  return {
    write: (bytes) => written(sent, bytes),
    end: () => {
      if (trailers !== undefined) sent.addTrailers(trailers);
      sent.end();
    },
    answer: response.then(([message]) => collected(message.statusCode ?? 0, message.headers, message)),
    leave: () => void sent.destroy(),
  };
}

function overHttp2(url: string, { headers, trailers }: UploadOptions): Upload {
  const { origin, pathname } = new URL(url);
  const connection = connect(origin);
  connection.on('error', () => undefined);
  const stream: ClientHttp2Stream = connection.request(
    { ':method': 'POST', ':path': pathname, ...mcpHeaders, ...headers },
    { endStream: false, waitForTrailers: trailers !== undefined },
  );
  stream.once('wantTrailers', () => {
    stream.sendTrailers(trailers ?? {});
  });
  const response = once(stream, 'response') as Promise<[RawAnswer['headers']]>;
  stream.on('error', () => undefined);
  const answer = response.then(([head]) => collected(Number(head[':status']), head, stream));
  const closing = (): void => {
    connection.destroy();
  };
  answer.then(closing, closing);
  return {
    write: (bytes) => written(stream, bytes),
    end: () => void stream.end(),
    answer,
    leave: () => {
      stream.close(8); // CANCEL, as a browser's AbortController does
      stream.once('close', closing);
    },
  };
}
