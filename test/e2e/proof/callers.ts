// Many calls at once on connections that stay open, each answer held against what its sample says.
import { Agent, request as request1 } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import type { Http } from '../clients/raw.ts';
import { mcpHeaders } from '../clients/session.ts';
import type { Sample } from './samples.ts';

export interface Calls {
  /** Answers that were as they have to be. */
  readonly right: number;
  /** What was wrong with the others, one line each, at most `mostShown`. */
  readonly wrong: readonly string[];
}

const mostShown = 10;

export interface Calling {
  readonly url: string;
  readonly http: Http;
  readonly sessionId: string;
  readonly samples: readonly Sample[];
  readonly concurrency: number;
  /** Asked before each call: whether there is to be one more. */
  readonly more: () => boolean;
  /** Leaves some calls in the middle, at a place of its own choice. Those have no answer to be right or wrong. */
  readonly abort?: () => number | undefined;
}

export async function call(calling: Calling): Promise<Calls> {
  const { http, url, samples, concurrency, more } = calling;
  const wire = http === 'HTTP/2' ? overHttp2(url) : overHttp1(url, concurrency);
  let right = 0;
  let next = 0;
  const wrong: string[] = [];
  const caller = async (): Promise<void> => {
    while (more()) {
      const index = next++;
      const sample = samples[index % samples.length];
      if (sample === undefined) return;
      const stopAt = calling.abort?.();
      const found = await wire.send(sample, calling.sessionId, stopAt).catch((error: unknown) => String(error));
      if (stopAt !== undefined) continue;
      const defect = defectOf(sample, found);
      if (defect === undefined) right++;
      else if (wrong.length < mostShown) wrong.push(`call ${index} of ${sample.body.length} B: ${defect}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, caller));
  } finally {
    wire.close();
  }
  return { right, wrong };
}

function defectOf(sample: Sample, answer: string): string | undefined {
  const { server, sha256 } = sample;
  if (answer.includes(`"server":"${server}"`) && answer.includes(`"session":"${server}"`) && answer.includes(sha256)) {
    return undefined;
  }
  return answer.slice(0, 300);
}

interface Wire {
  /** @returns the answer; @param stopAt how many chunks go out before the client goes away */
  send(sample: Sample, sessionId: string, stopAt: number | undefined): Promise<string>;
  close(): void;
}

function overHttp1(url: string, connections: number): Wire {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    send: async ({ chunks, trailers, body }, sessionId, stopAt) => {
      const framing = trailers
        ? { trailer: 'x-end' }
        : chunks.length % 2 === 0
          ? { 'content-length': body.length }
          : {};
      const headers = { ...mcpHeaders, 'mcp-session-id': sessionId, ...framing };
      const sent = request1(url, { method: 'POST', agent, headers });
      const answered = new Promise<string>((resolve, reject) => {
        sent.once('error', reject);
        sent.once('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => (text += part));
          response.once('end', () => {
            resolve(`${response.statusCode ?? 0} ${text}`);
          });
          response.once('error', reject);
        });
      });
      answered.catch(() => undefined);
      for (const [index, chunk] of chunks.entries()) {
        if (index === stopAt) break;
        sent.write(chunk);
        await turn();
      }
      if (stopAt !== undefined) {
        sent.destroy();
        return '';
      }
      if (trailers) sent.addTrailers({ 'x-end': '1' });
      sent.end();
      return answered;
    },
    close: () => {
      agent.destroy();
    },
  };
}

/** The listener allows a hundred streams a connection. */
function overHttp2(url: string): Wire {
  const { origin, pathname } = new URL(url);
  let connection: ClientHttp2Session | undefined;
  const connected = (): ClientHttp2Session => {
    if (connection === undefined || connection.destroyed || connection.closed) {
      connection = connect(origin);
      connection.on('error', () => undefined);
    }
    return connection;
  };
  return {
    send: async ({ chunks, trailers }, sessionId, stopAt) => {
      const stream = connected().request(
        { ':method': 'POST', ':path': pathname, ...mcpHeaders, 'mcp-session-id': sessionId },
        { endStream: false, waitForTrailers: trailers },
      );
      stream.once('wantTrailers', () => {
        stream.sendTrailers({ 'x-end': '1' });
      });
      let status = 0;
      let text = '';
      stream.once('response', (headers) => (status = Number(headers[':status'])));
      stream.setEncoding('utf8').on('data', (part: string) => (text += part));
      const ended = new Promise((resolve) => stream.once('close', resolve));
      let failure = '';
      stream.on('error', (error) => (failure = String(error)));
      for (const [index, chunk] of chunks.entries()) {
        if (index === stopAt) break;
        const last = index === chunks.length - 1;
        if (last && stopAt === undefined) stream.end(chunk);
        else stream.write(chunk);
        await turn();
      }
      if (stopAt !== undefined) stream.close(8); // CANCEL
      await ended;
      return `${status} ${text}${failure}`;
    },
    close: () => connection?.destroy(),
  };
}
