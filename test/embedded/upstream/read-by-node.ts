import { type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import { headersOf } from '../../../envoy/embedded/http1-headers.ts';
import {
  MalformedResponse,
  type ResponseHandler,
  ResponseParser,
} from '../../../envoy/embedded/upstream/response-parser.ts';

/** What came of an answer. */
export type Read =
  | 'malformed'
  | 'cut'
  | {
      readonly status: number;
      readonly headers: readonly string[];
      readonly body: string;
      readonly trailers: readonly string[];
    };

export interface Answer {
  readonly method: string;
  /** The bytes as they come, latin1. */
  readonly parts: readonly string[];
  readonly maxHeaderBytes: number;
}

/** Reads an answer, behind which the server ends the connection, with the parser of the engine. */
export function readByEngine({ method, parts, maxHeaderBytes }: Answer): Read {
  let read: Read = 'cut';
  let status = 0;
  let headers: readonly string[] = [];
  let body = '';
  const handler: ResponseHandler = {
    onHead: (head) => {
      status = head.status;
      headers = [...head.headers.flat];
    },
    onBody: (part) => {
      body += Buffer.from(part).toString('latin1');
    },
    onEnd: (trailers) => {
      read = { status, headers, body, trailers: [...trailers.flat] };
    },
  };
  const parser = new ResponseParser(handler, method, maxHeaderBytes);
  try {
    for (const part of parts) parser.read(Buffer.from(part, 'latin1'));
    parser.finish();
  } catch (error) {
    if (!(error instanceof MalformedResponse)) throw error;
    return 'malformed';
  }
  return read;
}

/** As `readByEngine`, with Node's client, and what Envoy does not take of what that takes. */
export async function readByNode({ method, parts, maxHeaderBytes }: Answer): Promise<Read> {
  const connection = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const asked = request({ method, maxHeaderSize: maxHeaderBytes, createConnection: () => connection });
  const read = new Promise<Read>((resolve) => {
    const failed = (error: Error): void => {
      resolve(((error as NodeJS.ErrnoException).code ?? '').startsWith('HPE_') ? 'malformed' : 'cut');
    };
    asked.on('error', failed);
    asked.on('upgrade', (response: IncomingMessage) => {
      resolve(whole(response, ''));
    });
    asked.on('response', (response) => {
      if (!isHttp(response)) resolve('malformed');
      let body = '';
      response.on('data', (part: Buffer) => {
        body += part.toString('latin1');
      });
      response.on('error', failed);
      response.on('end', () => {
        resolve(whole(response, body));
      });
    });
  });
  asked.end();
  asked.on('socket', () => {
    for (const part of parts) if (part !== '') connection.push(Buffer.from(part, 'latin1'));
    connection.push(null);
  });
  const outcome = await read;
  connection.destroy();
  return outcome;
}

/** Envoy's `max_headers_count` for responses. */
const mostHeaders = 100;

/** Whether Envoy takes for HTTP what Node does. */
function isHttp({ statusCode = 0, rawHeaders }: IncomingMessage): boolean {
  const coding = headersOf(rawHeaders).get('transfer-encoding');
  return (
    statusCode >= 100 && rawHeaders.length <= 2 * mostHeaders && (coding === undefined || /^chunked$/i.test(coding))
  );
}

function whole(response: IncomingMessage, body: string): Read {
  const { statusCode = 0, rawHeaders, rawTrailers } = response;
  if (!isHttp(response)) return 'malformed';
  const headers = headersOf(rawHeaders, [[':status', String(statusCode)]]);
  return { status: statusCode, headers: headers.flat, body, trailers: headersOf(rawTrailers).flat };
}
