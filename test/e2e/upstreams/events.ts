// A server of revision 2026-07-28 with the extension for events (SEP-3415), which the SDKs that are tried here do not have.
import type { ServerResponse } from 'node:http';
import {
  type Json,
  openStream,
  Refusal,
  startStatelessServer,
  type StatelessServer,
  writeEvent,
  writeResult,
} from './stateless.ts';

interface Params extends Json {
  readonly name?: string;
  readonly arguments?: Json;
  readonly cursor?: string | null;
  readonly delivery?: { readonly mode?: string; readonly url: string; readonly secret?: string };
}

export interface EventServer extends StatelessServer<Params> {
  readonly name: string;
  /** Streams that are open. */
  readonly streams: ReadonlySet<ServerResponse>;
  /** An event happens, and those who have a stream for it are told. */
  emit(name: string, data: Json): void;
  /** Ends the streams, as a server does that goes down in order. */
  endStreams(): void;
}

export const eventsExtension = 'io.modelcontextprotocol/events';

/** What each server has, in two pages. */
const types = ['email.received', 'incident.created', 'a"b'].map((name) => ({
  name,
  description: `${name} happens`,
  delivery: ['poll', 'push', 'webhook'],
  inputSchema: { type: 'object', properties: { name: { type: 'string' } } },
  payloadSchema: { type: 'object' },
}));

const subscriptionId = 'io.modelcontextprotocol/subscriptionId';

export async function startEventServer(name: string, settings: Json = { listChanged: true }): Promise<EventServer> {
  const happened: { readonly name: string; readonly data: Json }[] = [];
  const streams = new Map<ServerResponse, { readonly id: string | number; readonly of: string }>();
  const occurrence = (index: number) => ({
    eventId: `evt_${index}`,
    timestamp: '2026-02-19T15:30:00Z',
    ...happened[index],
  });

  const emit = (type: string, data: Json): void => {
    happened.push({ name: type, data });
    const at = happened.length - 1;
    for (const [response, { id, of }] of streams) {
      if (of !== type) continue;
      const params = { ...occurrence(at), cursor: `${name}-${at + 1}`, _meta: { [subscriptionId]: id } };
      writeEvent(response, { method: 'notifications/events/event', params });
    }
  };

  const answers: Record<string, (params: Params) => Json> = {
    'server/discover': () => ({
      supportedVersions: ['2026-07-28'],
      capabilities: { extensions: { [eventsExtension]: settings, 'com.example/other': {} } },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': { name, version: '1' } },
    }),
    'events/list': ({ cursor }) =>
      cursor === 'rest' ? { events: types.slice(2) } : { events: types.slice(0, 2), nextCursor: 'rest' },
    'events/poll': ({ name: type, cursor }) => {
      const from = Number(cursor?.split('-').at(-1) ?? happened.length);
      const events = happened.map((_, at) => occurrence(at)).filter((one, at) => at >= from && one.name === type);
      return { events, cursor: `${name}-${happened.length}`, truncated: false, hasMore: false, nextPollMs: 1_000 };
    },
    'events/subscribe': ({ delivery }) => {
      if (!/^whsec_./.test(delivery?.secret ?? '')) throw new Refusal(-32602, 'delivery.secret is no secret');
      return { id: `sub_${name}`, refreshBefore: '2026-02-19T16:30:00Z', cursor: null, truncated: false };
    },
    'events/unsubscribe': () => ({}),
    'com.example/anything': (params) => ({ echoed: params }),
  };

  const server = await startStatelessServer<Params>(({ message: { id, method, params }, headers }, response) => {
    if (headers['mcp-method'] !== method) throw new Refusal(-32020, 'The headers say another method.');
    const said = headers['mcp-name'];
    if (said !== undefined && said !== params.name) throw new Refusal(-32020, 'The headers say another name.');
    const isAboutOne = method.startsWith('events/') && method !== 'events/list';
    if (isAboutOne && !types.some((type) => type.name === params.name)) {
      throw new Refusal(-32023, `NotFound ${String(params.name)}`, { kind: 'event' });
    }
    if (method === 'events/stream') {
      const opened = { cursor: `${name}-${happened.length}`, truncated: false, _meta: { [subscriptionId]: id } };
      openStream(response);
      writeEvent(response, { method: 'notifications/events/active', params: opened });
      streams.set(response, { id, of: params.name ?? '' });
      response.once('close', () => streams.delete(response));
      return;
    }
    const answer = answers[method];
    if (answer === undefined) throw new Refusal(-32601, `no ${method}`);
    writeResult(response, id, { resultType: 'complete', ...answer(params) });
  });
  return {
    ...server,
    name,
    get streams() {
      return new Set(streams.keys());
    },
    emit,
    endStreams: () => {
      for (const [response, { id }] of streams) {
        writeEvent(response, { id, result: { resultType: 'complete', _meta: { [subscriptionId]: id } } });
        response.end();
      }
    },
  };
}
