// A gateway that asks a real plugin server for its catalog: files become tools in all workers, edits too, and nothing is lost
// where the plugin server is.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addClusters } from './adjust.ts';
import { send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, openSession, post, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type CatalogServer, startCatalogs } from './upstreams/catalogs.ts';
import { type EventServer, startEventServer } from './upstreams/events.ts';
import { type RestService, startRestService } from './upstreams/rest.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

/** Connections of their own: enough that some come to each worker. */
const connections = 12;

describeGateway('a catalog that the gateway asks for', () => {
  let weather: Scripted, shop: RestService, happening: EventServer, catalogs: CatalogServer;
  const write: CatalogServer['write'] = (file, content) => {
    catalogs.write(file, content);
  };

  beforeAll(async () => {
    weather = await startScripted({ tools: ['get'] });
    shop = await startRestService();
    happening = await startEventServer('happening');
    catalogs = await startCatalogs('team');
  });
  afterAll(async () => {
    await catalogs.stop();
    await weather.stop();
    await shop.stop();
    await happening.stop();
  });

  const gateway = useGateway(() => ({
    servers: [],
    plugin: { ...catalogs.asked.plugin, status: { env: 'STATUS' } },
    env: { ...catalogs.asked.env, STATUS: 'a-token-of-the-operator' },
    adjust: (bootstrap) => {
      const { url } = happening;
      addClusters(bootstrap, { catalogs: catalogs.url, weather: weather.url, shop: shop.url, happening: url });
    },
  }));

  /** What each of several connections is told. */
  const all = async <T>(ask: () => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: connections }, () => ask()));
  const tools = async (session: Session): Promise<string> => {
    const { text } = await session.post(listMessage());
    return [...text.matchAll(/"name":"([a-z_]+)"/g)].map(([, name]) => name).join();
  };
  const inAll = async (session: Session, expected: string): Promise<boolean> =>
    (await all(() => tools(session))).every((each) => each === expected);
  const status = async (): Promise<{ revision: string | null; lastFailure?: { detail: string } }> => {
    const answer = await send(`${gateway.current.url}/-/status`, { method: 'GET' });
    return (JSON.parse(answer.body.toString()) as { catalog: Awaited<ReturnType<typeof status>> }).catalog;
  };

  it('is told of where it is not there yet', async () => {
    const refused = await post(gateway.current.url, initializeMessage());
    expect(refused).toMatchObject({
      status: 200,
      text: expect.stringContaining('"reason":"catalog_unready"') as string,
    });
    expect((await send(`${gateway.current.url}/-/health`, { method: 'GET' })).status).toBe(503);
    await until('the failure is told', async () => (await status()).lastFailure?.detail.includes('HTTP 404') === true);
  });

  it('is served by all workers, and so is each edit, in a session that goes on', async () => {
    write('weather.yaml', 'servers: [{ name: weather, url: http://weather.example/mcp }]\n');
    await until(
      'it serves',
      async () => (await send(`${gateway.current.url}/-/health`, { method: 'GET' })).status === 200,
    );
    await until('all serve', async () =>
      (await all(() => post(gateway.current.url, initializeMessage()))).every(({ text }) =>
        text.includes('protocolVersion'),
      ),
    );
    const session = await openSession(gateway.current.url);
    expect(await tools(session)).toBe('weather_get');
    const { revision } = await status();
    write('shop.yaml', {
      servers: [{ name: 'shop', url: 'http://shop.example', rest: { tools: [item] } }],
      virtualServers: [{ name: 'team/shop', tools: ['shop_*'] }],
    });
    await until('the edit is in all lists', () => inAll(session, 'shop_item,weather_get'));
    expect((await status()).revision).not.toBe(revision);
    const answer = await session.post(callMessage('"shop_item"', '{"id":"a"}'));
    expect(answer.text).toContain('"isError":false');
    expect(shop.last()).toMatchObject({ method: 'GET', path: '/items/a' });
    const called = await all(() => session.post(callMessage('"weather_get"', '{}')));
    expect(called.every(({ text }) => text.includes('"result"'))).toBe(true);
    const narrow = await openSession(`${gateway.current.url}/team/shop`);
    expect(await tools(narrow)).toBe('shop_item');
    const prompts = async (): Promise<string> =>
      (await session.post('{"jsonrpc":"2.0","id":1,"method":"prompts/list"}')).text;
    write('guides.yaml', {
      servers: [
        { name: 'guides', rest: { prompts: [{ name: 'plain', messages: [{ role: 'user', text: 'Plainly' }] }] } },
      ],
    });
    await until('prompts of its own are in all lists', async () =>
      (await all(prompts)).every((text) => text.includes('"prompts":[{"name":"guides_plain"}]')),
    );
    catalogs.remove('guides.yaml');
    catalogs.remove('shop.yaml');
    await until('what was removed is in no list', () => inAll(session, 'weather_get'));
  });

  it('says which events a virtual server of it shows', async () => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const events = async (virtualServer: string): Promise<string> => {
      const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'events/list' };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'events/list', params: { _meta } });
      const { text } = await post(`${gateway.current.url}/team/${virtualServer}`, body, { headers });
      return [...text.matchAll(/"name":"(happening_[a-z.]+)/g)].map(([, name]) => name).join();
    };
    write('happening.yaml', {
      servers: [{ name: 'happening', url: 'http://happening.example/mcp', protocol: '2026-07-28' }],
      virtualServers: [
        { name: 'team/mail', tools: ['*'], events: ['happening_email.*'] },
        { name: 'team/every', tools: ['*'], events: ['*'] },
        { name: 'team/none', tools: ['*'] },
      ],
    });
    await until('all serve it', async () =>
      (await all(() => events('mail'))).every((names) => names === 'happening_email.received'),
    );
    expect(await events('every')).toContain('happening_incident.created');
    expect(await events('none')).toBe('');
    catalogs.remove('happening.yaml');
    await until('it is gone', async () => (await all(() => events('mail'))).every((names) => names === ''));
  });

  it('stays where the plugin server is gone', async () => {
    const session = await openSession(gateway.current.url);
    await catalogs.close();
    await until('the failure is told', async () => (await status()).lastFailure !== undefined);
    expect(await inAll(session, 'weather_get')).toBe(true);
  });
});

const item = {
  name: 'item',
  description: 'An item of the shop',
  args: [{ name: 'id', description: 'Its id', type: 'string', required: true, position: 'path' }],
  requestTemplate: { url: '/items/{id}', method: 'GET' },
};
