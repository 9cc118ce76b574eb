// Events (SEP-3415): what servers of 2026-07-28 let clients subscribe to, and what happens then. The same in every host mode.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withRoute } from './adjust.ts';
import { mcpHeaders } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type EventServer, eventsExtension, startEventServer } from './upstreams/events.ts';

type Json = Record<string, unknown>;

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string; readonly data: Json };
}

const modern = '2026-07-28';
const secret = `whsec_${Buffer.alloc(32, 'secret').toString('base64')}`;
const _meta = {
  'io.modelcontextprotocol/protocolVersion': modern,
  'io.modelcontextprotocol/clientCapabilities': { extensions: { [eventsExtension]: {} } },
};

interface Sent {
  /** `Mcp-Name`; absent: there is no such header. */
  readonly named?: string | undefined;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

function post(url: string, method: string, params: Json, { named, body, signal }: Sent = {}): Promise<Response> {
  const headers = {
    ...mcpHeaders,
    'mcp-protocol-version': modern,
    'mcp-method': method,
    ...(named !== undefined && { 'mcp-name': named }),
  };
  const message = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta } });
  return fetch(url, { method: 'POST', headers, body: body ?? message, ...(signal && { signal }) });
}

async function ask(...args: Parameters<typeof post>): Promise<Answer> {
  return (await (await post(...args)).json()) as Answer;
}

/** The messages of a stream, one for each call. */
function reader(response: Response): () => Promise<Answer | undefined> {
  const chunks = (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const event = text.slice(0, end);
        text = text.slice(end + 2);
        return JSON.parse(event.replace(/^data: /, '')) as Answer;
      }
      const { done, value } = await chunks.read();
      if (done) return undefined;
      text += value;
    }
  };
}

const namesOf = ({ result }: Answer) => (result?.['events'] as { name: string }[]).map(({ name }) => name);
const reasonOf = ({ error }: Answer) => error && [error.code, error.data['reason']];
const unknownEvent = [-32023, 'unknown_event'];
const mismatch = [-32020, 'header_mismatch'];

export function proveEvents(): void {
  describeGateway('events', () => {
    let servers: [EventServer, EventServer];
    beforeAll(async () => {
      servers = await Promise.all([startEventServer('one'), startEventServer('two')]);
    });
    afterAll(() => Promise.all(servers.map((server) => server.stop())));
    const received = () => servers.map(({ messages }) => messages.length);

    describe('of several servers', () => {
      const gateway = useGateway(() => ({
        servers: [
          { name: servers[0].name, url: servers[0].url },
          { name: servers[1].name, url: servers[1].url, events: { deny: ['incident.*'] } },
        ],
        plugin: {
          log: 'debug',
          audit: { log: true, level: 'warn', subject: 'plain', arguments: true },
          virtualServers: [
            { name: 'team/mail', tools: [], events: ['*_email.*'] },
            { name: 'team/tools', tools: ['*'] },
          ],
        },
      }));
      const url = (behind = '') => gateway.current.url + behind;

      it('are offered as an extension, without what only one of them could tell', async () => {
        const { result } = await ask(url(), 'server/discover', {});
        expect(result?.['capabilities']).toEqual({ extensions: { [eventsExtension]: {} } });
      });

      it('are one list, of all pages, under names that tell the server', async () => {
        const answer = await ask(url(), 'events/list', {});
        expect(namesOf(answer)).toEqual([
          'one_email.received',
          'one_incident.created',
          'one_a"b',
          'two_email.received',
          'two_a"b',
        ]);
        expect(answer.result).toMatchObject({ resultType: 'complete' });
        expect(answer.result).not.toHaveProperty('nextCursor');
      });

      it.each([undefined, 'two_email.received'])('are polled at their server, with Mcp-Name: %s', async (named) => {
        const poll = (cursor: unknown) =>
          ask(url(), 'events/poll', { name: 'two_email.received', arguments: { name: 'x' }, cursor }, { named });
        const { result } = await poll(null);
        expect(result).toMatchObject({ events: [], cursor: expect.stringMatching(/^two-\d+$/) as unknown });
        servers[1].emit('email.received', { name: 'email.received', from: 'ada' });
        const before = received();
        expect((await poll(result?.['cursor'])).result).toMatchObject({
          resultType: 'complete',
          events: [{ name: 'two_email.received', data: { name: 'email.received', from: 'ada' } }],
          nextPollMs: 1_000,
        });
        expect(received()).toEqual([before[0], (before[1] ?? 0) + 1]);
        const { message, headers } = servers[1].messages.at(-1) ?? {};
        expect(message?.params).toMatchObject({
          name: 'email.received',
          arguments: { name: 'x' },
          cursor: result?.['cursor'],
        });
        expect(headers?.['mcp-name']).toBe(named && 'email.received');
        expect(headers).toMatchObject({ 'x-mcp-servername': 'two', 'x-mcp-eventname': 'email.received' });
      });

      it('have names of any characters', async () => {
        const { result } = await ask(url(), 'events/poll', { name: 'one_a"b' });
        servers[0].emit('a"b', {});
        const again = await ask(url(), 'events/poll', { name: 'one_a"b', cursor: result?.['cursor'] });
        expect(namesOf(again)).toEqual(['one_a"b']);
      });

      it('are streamed by their server, as they happen, until the client goes', async () => {
        const stop = new AbortController();
        const params = { name: 'one_email.received', cursor: null };
        const [first, other] = await Promise.all([
          post(url(), 'events/stream', params, { signal: stop.signal }),
          post(url(), 'events/stream', { name: 'two_email.received' }, { signal: stop.signal }),
        ]);
        expect(first.headers.get('content-type')).toBe('text/event-stream');
        const [next, nextOfOther] = [reader(first), reader(other)];
        const told = { 'io.modelcontextprotocol/subscriptionId': 7 };
        expect(await next()).toMatchObject({ method: 'notifications/events/active', params: { _meta: told } });
        await nextOfOther();
        for (const from of ['ada', 'bo']) {
          servers[0].emit('email.received', { name: 'email.received', from });
          expect(await next()).toMatchObject({
            method: 'notifications/events/event',
            params: { name: 'one_email.received', data: { name: 'email.received', from }, _meta: told },
          });
        }
        servers[1].emit('email.received', {});
        expect(await nextOfOther()).toMatchObject({ params: { name: 'two_email.received' } });
        stop.abort();
        await expect.poll(() => servers.map(({ streams }) => streams.size)).toEqual([0, 0]);
      });

      it('end as their server ends them', async () => {
        const next = reader(await post(url(), 'events/stream', { name: 'one_incident.created' }));
        await next();
        servers[0].endStreams();
        expect(await next()).toMatchObject({ id: 7, result: { resultType: 'complete' } });
        expect(await next()).toBeUndefined();
      });

      it('come to webhooks that their server knows, and nobody else learns the secret', async () => {
        const delivery = { mode: 'webhook', url: 'https://hooks.example.com/7', secret };
        const params = { name: 'two_email.received', arguments: { name: 'x' }, delivery, ttlMs: 1 };
        const { result } = await ask(url(), 'events/subscribe', params);
        expect(result).toMatchObject({ id: 'sub_two', refreshBefore: '2026-02-19T16:30:00Z' });
        expect(servers[1].messages.at(-1)?.message.params).toMatchObject({ name: 'email.received', delivery });
        const gone = await ask(url(), 'events/unsubscribe', { ...params, delivery: { url: delivery.url } });
        expect(gone.result).toEqual({ resultType: 'complete' });
        expect(servers[1].messages.at(-1)?.message).toMatchObject({
          method: 'events/unsubscribe',
          params: { name: 'email.received', delivery: { url: delivery.url } },
        });
        // What is refused by the server, by the gateway, and because nobody could read it.
        const wrong = { ...delivery, secret: secret.slice(6) };
        expect(await ask(url(), 'events/subscribe', { ...params, delivery: wrong })).toMatchObject({
          error: { code: -32602, message: 'delivery.secret is no secret' },
        });
        expect(reasonOf(await ask(url(), 'events/subscribe', { ...params, name: 'none' }))).toEqual(unknownEvent);
        const twice = `{"jsonrpc":"2.0","id":7,"method":"events/subscribe","params":{"delivery":${JSON.stringify(delivery)},"name":"a","name":"b"}}`;
        const refused = await (await post(url(), 'events/subscribe', params, { body: twice })).text();
        expect(refused).toContain('parse_error');
        for (const text of [refused, gateway.current.log(), await gateway.current.prometheus()]) {
          expect(text).not.toContain(secret.slice(6, 30));
        }
      });

      it('are refused where there are none, and no server hears of it', async () => {
        const before = received();
        for (const method of ['events/poll', 'events/stream', 'events/subscribe', 'events/unsubscribe']) {
          for (const name of ['email.received', 'three_email.received', 'two_incident.created', '', 7, undefined]) {
            const answer = await ask(url(), method, { name });
            expect(reasonOf(answer), `${method} ${String(name)}`).toEqual(unknownEvent);
            expect(answer.error?.message).toContain('Call events/list');
          }
        }
        expect(received()).toEqual(before);
        expect((await ask(url(), 'events/poll', { name: 'one_other' })).error).toMatchObject({
          code: -32023,
          data: { kind: 'event' },
        });
      });

      it('are refused where headers and body say different things', async () => {
        const before = received();
        const params = { name: 'one_email.received' };
        for (const named of ['two_email.received', 'email.received', '', 'one_email.received, one_email.received']) {
          // Whichever of the two was read first.
          const reason = reasonOf(await ask(url(), 'events/poll', params, { named }));
          expect(named === 'two_email.received' ? [mismatch] : [mismatch, unknownEvent], named).toContainEqual(reason);
        }
        expect(received()).toEqual(before);
      });

      it('are refused where a method is none that is known here: it could be meant for any server', async () => {
        const before = received();
        for (const method of ['events/other', 'com.example/anything', 'Events/poll']) {
          const answer = await ask(url(), method, { name: 'one_email.received' });
          expect(reasonOf(answer)).toEqual([-32601, 'method_not_found']);
          expect(answer.error?.message).toContain('a gateway for it alone');
        }
        expect(received()).toEqual(before);
      });

      it('are of a virtual server that names them', async () => {
        const mail = url('/team/mail');
        expect(namesOf(await ask(mail, 'events/list', {}))).toEqual(['one_email.received', 'two_email.received']);
        expect(await ask(mail, 'events/poll', { name: 'one_email.received' })).toMatchObject({
          result: { events: [] },
        });
        expect(reasonOf(await ask(mail, 'events/poll', { name: 'one_incident.created' }))).toEqual(unknownEvent);
        const tools = url('/team/tools');
        expect(reasonOf(await ask(tools, 'events/poll', { name: 'one_email.received' }))).toEqual(unknownEvent);
        expect(namesOf(await ask(mail, 'events/list', {}))).toHaveLength(2);
      });
    });

    describe('of a server that never says anything', () => {
      const gateway = useGateway(() => ({
        servers: [{ name: servers[0].name, url: servers[0].url }],
        adjust: withRoute('one', { idle_timeout: '1s' }),
      }));

      it('end, for the client and the server, when the stream was silent for too long', async () => {
        const stream = await post(gateway.current.url, 'events/stream', { name: 'one_email.received' });
        const next = reader(stream);
        expect(await next()).toMatchObject({ method: 'notifications/events/active' });
        expect(servers[0].streams.size).toBe(1);
        await next().then(
          (message) => {
            expect(message).toBeUndefined();
          },
          (error: unknown) => {
            expect(error).toBeInstanceOf(Error);
          },
        );
        await expect.poll(() => servers[0].streams.size).toBe(0);
      });
    });

    describe('of one server without a prefix', () => {
      const gateway = useGateway(() => ({ servers: [{ name: 'one', url: servers[0].url, prefix: '' }] }));

      it('pass as they are, with all that the server says of them', async () => {
        const { url } = gateway.current;
        expect((await ask(url, 'server/discover', {})).result?.['capabilities']).toEqual({
          extensions: { [eventsExtension]: { listChanged: true }, 'com.example/other': {} },
        });
        const params = { name: 'email.received', cursor: 'one-0', _meta };
        const body = JSON.stringify({ id: 7, jsonrpc: '2.0', method: 'events/poll', params }, null, 1);
        const { result } = await ask(url, 'events/poll', {}, { body });
        expect(servers[0].messages.at(-1)?.body).toBe(body);
        expect(new Set((result?.['events'] as { name: string }[]).map(({ name }) => name))).toEqual(
          new Set(['email.received']),
        );
      });

      it('pass with methods of extensions that the gateway does not know', async () => {
        const { url } = gateway.current;
        const params = { name: 'a', taskId: 'b', cursor: { c: 1.0 }, _meta };
        const body = JSON.stringify({ id: 7, jsonrpc: '2.0', method: 'com.example/anything', params }, null, 1);
        const { result } = await ask(url, 'com.example/anything', {}, { body, named: 'a' });
        expect(result).toEqual({ resultType: 'complete', echoed: params });
        expect(servers[0].messages.at(-1)).toMatchObject({
          body,
          headers: { 'mcp-method': 'com.example/anything', 'mcp-name': 'a' },
        });
        expect((await ask(url, 'com.example/nothing', {})).error).toEqual({
          code: -32601,
          message: 'no com.example/nothing',
        });
      });
    });
  });
}
