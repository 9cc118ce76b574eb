// A client of HTTP+SSE (2024-11-05) that writes its messages itself.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface OpenStream {
  /** What the `endpoint` event says. */
  readonly address: string;
  /** The data of the next event, as it was written. @throws where the stream ends before, or breaks off */
  next(): Promise<string>;
  /** Goes away. */
  leave(): void;
}

/** Opens an event stream, and reads its first event. @throws where that is no `endpoint` event */
export async function eventsOf(url: string, headers: Readonly<Record<string, string>> = {}): Promise<OpenStream> {
  const sent = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  sent.on('error', () => undefined); // fails what waits for an event
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream was refused: ${response.statusCode}`);
  const events = eventsIn(response);
  const next = async (): Promise<string> => {
    const { value, done } = await events.next();
    if (done === true) throw new Error('the stream ended');
    return value;
  };
  const first = await next();
  if (!first.startsWith('event: endpoint\n')) throw new Error(`the first event is none of an endpoint: ${first}`);
  return {
    address: dataOf(first),
    next: async () => dataOf(await next()),
    leave: () => sent.destroy(),
  };
}

async function* eventsIn(response: IncomingMessage): AsyncGenerator<string, void> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    yield* events;
  }
}

function dataOf(event: string): string {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'));
  return lines.map((line) => line.replace(/^data: ?/, '')).join('\n');
}
