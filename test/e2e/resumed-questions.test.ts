// A server that numbers its events asks in the middle of a call, and the client's stream is cut there. What a gateway that
// holds no stream could build on: the stream is taken up again, then the question is answered, then the result comes.
import { request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callMessage, mcpHeaders, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type CompleteServer, startCompleteServer } from './upstreams/complete/server.ts';

interface Event {
  readonly id: string;
  readonly message: {
    readonly id?: string | number;
    readonly method?: string;
    readonly result?: { readonly content: readonly { readonly text: string }[] };
  };
}

describeGateway('a question in a stream that was cut', () => {
  let server: CompleteServer;
  beforeAll(async () => {
    server = await startCompleteServer('old');
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'old', url: server.url }] }));

  it('is answered behind the headers of the stream that takes it up, which then has the result', async () => {
    const { url } = gateway.current;
    const session = await openSession(url, { capabilities: { elicitation: {} } });
    const headers = { ...mcpHeaders, 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
    const asked = await eventOf(
      url,
      { method: 'POST', headers },
      ({ message }) => message.method === 'elicitation/create',
      callMessage('"old_test_elicitation"', '{"message":"Who?"}', '"c"'),
    );
    const taken = { method: 'GET', headers: { ...headers, accept: 'text/event-stream', 'last-event-id': asked.id } };
    const result = await eventOf(
      url,
      taken,
      ({ message }) => message.result !== undefined,
      undefined,
      async () => {
        const response = {
          jsonrpc: '2.0',
          id: asked.message.id,
          result: { action: 'accept', content: { username: 'ada', email: 'a@b.c' } },
        };
        expect((await session.post(JSON.stringify(response))).status).toBe(202);
      },
    );
    expect(result.message.id).toBe('c');
    expect(result.message.result?.content[0]?.text).toContain('"username":"ada"');
    await session.end();
  });
});

/**
 * Leaves the stream with the first event that is sought.
 * @param begun is done once the headers have come
 */
async function eventOf(
  url: string,
  options: { readonly method: string; readonly headers: Readonly<Record<string, string>> },
  isSought: (event: Event) => boolean,
  body?: string,
  begun?: () => Promise<void>,
): Promise<Event> {
  const sent = request(url, { ...options, agent: false });
  sent.on('error', () => undefined); // of the connection that is left
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await begun?.();
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    const found = events.map(eventIn).find((event) => event !== undefined && isSought(event));
    if (found === undefined) continue;
    sent.destroy();
    return found;
  }
  throw new Error('the stream ended without it');
}

function eventIn(text: string): Event | undefined {
  const [, id = ''] = /^id: (.*)$/m.exec(text) ?? [];
  const [, data] = /^data: (.+)$/m.exec(text) ?? [];
  return data === undefined ? undefined : { id, message: JSON.parse(data) as Event['message'] };
}
