// With several servers, or with REST services alone, clients learn at their next GET that an edit of the catalog has changed
// their lists; on any replica.
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseEvents } from '../filter/changed-lists.ts';
import { addClusters } from './adjust.ts';
import { refusal, toolNames } from './clients/answers.ts';
import { bothProtocols, type Http, type RawAnswer, send } from './clients/raw.ts';
import { initializeMessage, listMessage, openSession, post, resumeSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { sharedKey } from './shared-key.ts';
import { until } from './until.ts';
import { type CatalogServer, startCatalogs } from './upstreams/catalogs.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type Scripted, startScripted, status } from './upstreams/scripted.ts';

/** Connections of their own: enough that some come to each worker. */
const connections = 12;
const CHANGED = 'notifications/tools/list_changed';

const rest = (...tools: string[]): object => ({
  servers: [
    {
      name: 'shop',
      url: 'http://shop.example',
      rest: {
        tools: tools.map((name) => ({
          name,
          description: `Of the shop: ${name}`,
          args: [],
          requestTemplate: { url: '/empty', method: 'GET' },
        })),
      },
    },
  ],
});

/** What `fetch` gives, with streams that say to come back soon: clients wait for as long as they are told. */
const impatient: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
  const text = (await response.text()).replace('retry: 30000', 'retry: 100');
  return new Response(text, { status: response.status, headers: { 'content-type': 'text/event-stream' } });
};

interface Hearing {
  readonly capabilities: () => unknown;
  readonly heard: readonly string[];
  readonly list: () => Promise<{ tools: { name: string }[] }>;
  readonly close: () => Promise<void>;
}

const info = { name: 'hearing', version: '1' };

const clients: Record<string, (url: string) => Promise<Hearing>> = {
  'SDK 1': async (url) => {
    const client = new Client1(info);
    const heard: string[] = [];
    client.fallbackNotificationHandler = ({ method }) => Promise.resolve(void heard.push(method));
    await client.connect(new Transport1(new URL(url), { fetch: impatient }));
    return {
      capabilities: () => client.getServerCapabilities(),
      heard,
      list: () => client.listTools(),
      close: () => client.close(),
    };
  },
  'SDK 2': async (url) => {
    const client = new Client2(info);
    const heard: string[] = [];
    client.fallbackNotificationHandler = ({ method }) => Promise.resolve(void heard.push(method));
    await client.connect(new Transport2(new URL(url), { fetch: impatient }));
    return {
      capabilities: () => client.getServerCapabilities(),
      heard,
      list: () => client.listTools(),
      close: () => client.close(),
    };
  },
};

function get(
  url: string,
  session: Pick<Session, 'id'>,
  lastEventId?: string,
  http: Http = 'HTTP/1.1',
): Promise<RawAnswer> {
  const headers = {
    accept: 'text/event-stream',
    'mcp-session-id': session.id,
    'mcp-protocol-version': '2025-11-25',
    ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
  };
  return send(url, { http, method: 'GET', headers });
}

describeGateway('an edit of the catalog', () => {
  let shop: RestService, weather: Scripted, catalogs: CatalogServer;
  beforeAll(async () => {
    shop = await startRestService();
    weather = await startScripted({ tools: ['get'], sessionId: 'session-of-weather' });
    catalogs = await startCatalogs('team');
    catalogs.write('shop.yaml', rest('one'));
  });
  afterAll(async () => {
    await catalogs.stop();
    await weather.stop();
    await shop.stop();
  });
  const replicas = [0, 1].map(() =>
    useGateway(() => ({
      servers: [],
      plugin: { ...sharedKey.plugin, ...catalogs.asked.plugin },
      env: { ...sharedKey.env, ...catalogs.asked.env },
      adjust: (bootstrap) => {
        addClusters(bootstrap, { catalogs: catalogs.url, shop: shop.url, weather: weather.url });
      },
    })),
  );
  const urls = (): string[] => replicas.map(({ current }) => current.url);

  /** Until every worker of both replicas lists these. */
  const served = async (...tools: string[]): Promise<void> => {
    const wanted = tools.map((tool) => `shop_${tool}`).join();
    const lists = async (url: string): Promise<boolean> => {
      const opened = await post(url, initializeMessage());
      const id = opened.headers['mcp-session-id'];
      if (typeof id !== 'string') return false;
      const answer = await resumeSession(url, id).post(listMessage());
      return toolNames(answer).join() === wanted;
    };
    await until(`all workers serve ${wanted}`, async () => {
      const asked = urls().flatMap((url) => Array.from({ length: connections }, () => lists(url)));
      return (await Promise.all(asked)).every((each) => each);
    });
  };
  const edit = async (...tools: string[]): Promise<void> => {
    catalogs.write('shop.yaml', rest(...tools));
    await served(...tools);
  };

  it.each(bothProtocols)('is told at the next GET, under one id on all replicas, over %s', async (http) => {
    await edit('one');
    const [url = '', other = ''] = urls();
    const session = await openSession(url, { http });
    expect(JSON.parse(session.initialized.text)).toMatchObject({
      result: { capabilities: { tools: { listChanged: true } } },
    });
    const first = await get(url, session, undefined, http);
    expect(first).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' } });
    const { id, methods, retry } = parseEvents(first.text);
    expect({ methods, retry }).toEqual({ methods: [], retry: '30000' });
    expect(parseEvents((await get(other, session, undefined, http)).text).id).toBe(id);
    await edit('one', 'two');
    const told = await Promise.all(
      urls().flatMap((each) => Array.from({ length: connections }, () => get(each, session, id, http))),
    );
    const events = told.map(({ text }) => parseEvents(text));
    for (const each of events) expect(each.methods).toEqual([CHANGED]);
    expect(new Set(events.map((each) => each.id)).size).toBe(1);
    expect(toolNames(await session.post(listMessage()))).toEqual(['shop_one', 'shop_two']);
    const again = parseEvents((await get(other, session, events[0]?.id, http)).text);
    expect(again.methods).toEqual([CHANGED]);
    const quiet = parseEvents((await get(url, session, again.id, http)).text);
    expect(quiet.methods).toEqual([]);
    expect(quiet.id).not.toBe(again.id);
    expect((await session.end()).status).toBe(200);
    expect(refusal(await get(url, session, quiet.id, http))).toMatchObject({ status: 404, reason: 'session_unknown' });
  });

  it.each(Object.entries(clients))('is heard by %s, which goes on asking', async (_, connect) => {
    await edit('one');
    const [url = ''] = urls();
    const client = await connect(url);
    expect(client.capabilities()).toMatchObject({ tools: { listChanged: true } });
    expect((await client.list()).tools.map(({ name }) => name)).toEqual(['shop_one']);
    for (const tools of [['one', 'two'], ['two']]) {
      const before = client.heard.length;
      await edit(...tools);
      await until('the client has heard of it', () => client.heard.length > before);
      expect((await client.list()).tools.map(({ name }) => name)).toEqual(tools.map((tool) => `shop_${tool}`));
      await until('it has heard of it again', () => client.heard.length > before + 1);
    }
    expect(new Set(client.heard)).toEqual(new Set([CHANGED]));
    await client.close();
  });

  it('is told to a client whose only server was removed, and whose stream it was', async () => {
    await edit('one');
    const [url = ''] = urls();
    weather.answers = {
      GET: (_, reply) => {
        reply.head(200, { 'content-type': 'text/event-stream' });
        reply.end('id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n');
      },
    };
    catalogs.write('weather.yaml', { servers: [{ name: 'weather', url: 'http://weather.example/mcp' }] });
    const streamed = async (): Promise<boolean> => {
      const { text } = await get(url, await openSession(url));
      return parseEvents(text).retry === undefined;
    };
    await until('its stream passes in all workers', async () =>
      (await Promise.all(Array.from({ length: connections }, streamed))).every((each) => each),
    );
    const session = await openSession(url);
    const { id } = parseEvents((await get(url, session)).text);
    catalogs.remove('weather.yaml');
    await served('one');
    const { status, text } = await get(url, session, id);
    expect({ status, methods: parseEvents(text).methods }).toEqual({ status: 200, methods: [CHANGED] });
  });
});

describeGateway('a GET that the only server of a path answers with 405', () => {
  let weather: Scripted, notes: Scripted;
  beforeAll(async () => {
    [weather, notes] = (await Promise.all(
      ['weather', 'notes'].map((name) =>
        startScripted({ tools: ['get'], sessionId: name, answers: { GET: status(405, 'text/plain', 'no stream') } }),
      ),
    )) as [Scripted, Scripted];
  });
  afterAll(() => Promise.all([weather.stop(), notes.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'weather', url: weather.url },
      { name: 'notes', url: notes.url },
    ],
    plugin: {
      sessions: { listChanged: true },
      status: { env: 'STATUS_TOKEN' },
      virtualServers: [{ name: 'team/weather', tools: ['weather_*'] }],
    },
    env: { STATUS_TOKEN: 'a-token-of-the-operator' },
  }));

  it.each(bothProtocols)('is told of changed lists, and is no failure of that server, over %s', async (http) => {
    const url = `${gateway.current.url}/team/weather`;
    const session = await openSession(url, { http });
    const { status: code, text } = await get(url, session, undefined, http);
    expect({ code, retry: parseEvents(text).retry }).toEqual({ code: 200, retry: '30000' });
    expect(weather.of('GET').length).toBeGreaterThan(0);
    const seen = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
    expect(JSON.parse(seen.text)).toMatchObject({
      servers: [
        { name: 'weather', state: 'ok' },
        { name: 'notes', state: 'ok' },
      ],
    });
    expect(seen.text).not.toContain('lastFailure');
    expect(gateway.current.log()).not.toContain('weather: none');
  });
});
