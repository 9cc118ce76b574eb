// A client that reads an event stream as it comes, so that it can act in the middle of it.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { mcpHeaders } from './session.ts';

export interface EventStream {
  readonly status: number;
  /** The data of the next event that has some, as it was written. @throws where the stream ends before, or breaks off */
  next(): Promise<string>;
  /** Waits for the end. @returns the data of what was left. @throws where the stream breaks off */
  end(): Promise<string[]>;
  /** Goes away. */
  leave(): void;
}

/** POSTs one message in a session. @param body as it is sent; an answer in JSON is one event */
export async function postForEvents(
  url: string,
  session: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventStream> {
  const all = { ...mcpHeaders, 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25', ...headers };
  const sent = request(url, { method: 'POST', headers: all, agent: false });
  sent.on('error', () => undefined); // fails what waits for the answer
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const events = eventsIn(response);
  return {
    status: response.statusCode ?? 0,
    next: async () => {
      const { value, done } = await events.next();
      if (done === true) throw new Error('the stream ended');
      return value;
    },
    end: async () => {
      const left: string[] = [];
      for await (const data of events) left.push(data);
      return left;
    },
    leave: () => sent.destroy(),
  };
}

async function* eventsIn(response: IncomingMessage): AsyncGenerator<string, void> {
  const json = response.headers['content-type'] === 'application/json';
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (json) continue;
    // Behind a carriage return a line feed may follow in the next chunk.
    const events = text.split(/\r\n\r\n|\n\n|\r\r(?!\n)/);
    text = events.pop() ?? '';
    yield* events.map(dataOf).filter((data) => data !== '');
  }
  if (json) yield text;
}

function dataOf(event: string): string {
  const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data:'));
  return lines.map((line) => line.replace(/^data: ?/, '')).join('\n');
}
