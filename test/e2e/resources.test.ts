import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, result, startScripted, status } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

const unknown = { status: 200, id: 7, code: -32002, reason: 'unknown_resource' };

function ask(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
}

/** What a resource says: its URI at its server, and the server. */
async function read(client: Client, uri: string): Promise<unknown> {
  const { contents } = await client.readResource({ uri });
  return contents.map((content) => ('text' in content ? content.text : undefined));
}

describeGateway('resources of several servers', () => {
  let git: SdkServer;
  let ui: SdkServer;
  let plain: SdkServer;
  beforeAll(async () => {
    git = await startSdkServer({
      name: 'git',
      json: true,
      resources: ['file:///repo/a', 'file:///secret/b', 'repo://main', 'https://git.example/doc'],
      templates: ['file:///repo/{id}', 'https://git.example/issue/{id}'],
    });
    ui = await startSdkServer({
      name: 'ui',
      resources: ['ui://form', 'file:///repo/a'],
      templates: ['ui://form/{id}'],
    });
    plain = await startSdkServer({ name: 'plain' });
  });
  afterAll(async () => {
    await Promise.all([git.stop(), ui.stop(), plain.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'plain', url: plain.url },
      { name: 'git', url: git.url, resources: { deny: ['file:///secret/*'] }, ownedUris: ['repo://*'] },
      { name: 'ui', url: ui.url },
    ],
    plugin: {
      virtualServers: [
        { name: 'team-a/reader', tools: [], resources: ['file://git//repo/*', 'ui://ui/form'] },
        { name: 'team-a/tools', tools: ['*'] },
      ],
    },
  }));

  it('are not read under another spelling of the URI, which a server would take for the one that is denied', async () => {
    const session = await openSession(gateway.current.url);
    const spellings = [
      'file://git//repo/../secret/b',
      'FILE://git//secret/b',
      'file://git//sec\tret/b',
      'file://git//%73ecret/b',
    ];
    for (const uri of spellings) {
      expect(refusal(await session.post(ask('resources/read', { uri }))), uri).toMatchObject(unknown);
    }
  });

  it.each(bothProtocols)('are listed, read and completed over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http);
    expect(client.getServerCapabilities()).toEqual({ tools: {}, resources: {}, completions: {}, logging: {} });
    const { resources } = await client.listResources();
    const uris = ['file://git//repo/a', 'repo://main', 'https://git.example/doc', 'ui://ui/form', 'file://ui//repo/a'];
    expect(resources.map(({ uri }) => uri)).toEqual(uris);
    const { resourceTemplates } = await client.listResourceTemplates();
    const templates = ['file://git//repo/{id}', 'https://git.example/issue/{id}', 'ui://ui/form/{id}'];
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(templates);

    for (const [uri, said] of [
      ['file://git//repo/a', 'file:///repo/a of git'],
      ['file://ui//repo/a', 'file:///repo/a of ui'],
      ['file://git//repo/7', 'file:///repo/7 of git'],
      ['repo://main', 'repo://main of git'],
      ['ui://ui/form/7', 'ui://form/7 of ui'],
      ['https://git.example/doc', 'https://git.example/doc of git'],
      ['https://git.example/issue/7', 'https://git.example/issue/7 of git'],
    ] as const) {
      expect(await read(client, uri)).toEqual([said]);
    }
    for (const [uri, said] of [
      ['ui://ui/form/{id}', '7 of ui://form/{id} of ui'],
      ['https://git.example/issue/{id}', '7 of https://git.example/issue/{id} of git'],
    ] as const) {
      const ref = { type: 'ref/resource', uri } as const;
      const { completion } = await client.complete({ ref, argument: { name: 'id', value: '7' } });
      expect(completion.values).toEqual([said]);
    }
    await close();
  });

  it('that no list shows cannot be read, subscribed to or completed', async () => {
    const session = await openSession(gateway.current.url);
    for (const uri of ['file://git//secret/b', 'file:///repo/a', 'file://nobody//repo/a', 'https://nobody.example/']) {
      expect(refusal(await session.post(ask('resources/read', { uri })))).toEqual(unknown);
      expect(refusal(await session.post(ask('resources/subscribe', { uri })))).toEqual(unknown);
      const argument = { name: 'id', value: '' };
      const completed = await session.post(
        ask('completion/complete', { ref: { type: 'ref/resource', uri }, argument }),
      );
      expect(refusal(completed)).toEqual(unknown);
    }
  });

  it('are decided on by virtual servers, as clients see them', async () => {
    const { client, close } = await connectSdk(`${gateway.current.url}/team-a/reader`, 'HTTP/1.1');
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(['file://git//repo/a', 'ui://ui/form']);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['file://git//repo/{id}']);
    expect(await read(client, 'file://git//repo/7')).toEqual(['file:///repo/7 of git']);
    await close();
    const session = await openSession(`${gateway.current.url}/team-a/reader`);
    for (const uri of ['file://ui//repo/a', 'repo://main', 'ui://ui/form/7', 'https://git.example/doc']) {
      expect(refusal(await session.post(ask('resources/read', { uri })))).toEqual(unknown);
    }
  });

  it('are not offered where a virtual server has none', async () => {
    const { client, close } = await connectSdk(`${gateway.current.url}/team-a/tools`, 'HTTP/1.1');
    expect(client.getServerCapabilities()).toEqual({ tools: {}, logging: {} });
    await close();
  });

  it('are subscribed to, and no longer, by the URI that the server knows', async () => {
    const session = await openSession(gateway.current.url);
    const uri = 'file://git//repo/a';
    expect(message(await session.post(ask('resources/subscribe', { uri }))).result).toEqual({});
    expect([...git.subscriptions]).toEqual(['file:///repo/a']);
    expect([...ui.subscriptions]).toEqual([]);
    await session.post(ask('resources/unsubscribe', { uri }));
    expect([...git.subscriptions]).toEqual([]);
  });

  it('a level of logging is set at every server that logs', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    await client.setLoggingLevel('warning');
    for (const server of [git, ui, plain]) expect(server.levels.at(-1)).toBe('warning');
    await close();
  });
});

describeGateway('resources of several servers that errors name', () => {
  let git: Scripted;
  let other: Scripted;
  let code = 200;
  beforeAll(async () => {
    const uri = 'file:///repo/a';
    const error = { code: -32002, message: 'gone', data: { uri } };
    const resources = result(JSON.stringify({ resources: [{ uri, name: 'a' }] }));
    git = await startScripted({
      answers: {
        initialize: (request, reply) => {
          const { params } = JSON.parse(request.body.toString()) as { params: { protocolVersion: string } };
          const { protocolVersion } = params;
          const serverInfo = { name: 'git', version: '1' };
          const initialized = { protocolVersion, capabilities: { resources: {} }, serverInfo };
          reply.head(200, { 'content-type': 'application/json', 'mcp-session-id': 'one' });
          reply.end(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(request.id) as unknown, result: initialized }));
        },
        ping: result('{}'),
        'resources/list': resources,
        'resources/read': (request, reply) => {
          const text = `{"jsonrpc":"2.0","id":${request.id},"error":${JSON.stringify(error)}}`;
          return status(code, 'application/json', text)(request, reply);
        },
      },
    });
    other = await startScripted({ tools: ['work'] });
  });
  afterAll(() => Promise.all([git.stop(), other.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'git', url: git.url },
      { name: 'other', url: other.url },
    ],
  }));

  // 400 and 404 are held until it is known that the session is not lost.
  it.each([200, 400, 404, 422, 500])('have the form that clients know, with status %i', async (answered) => {
    code = answered;
    const session = await openSession(gateway.current.url);
    const answer = await session.post(ask('resources/read', { uri: 'file://git//repo/a' }));
    expect({ status: answer.status, error: message(answer).error }).toEqual({
      status: answered,
      error: { code: -32002, message: 'gone', data: { uri: 'file://git//repo/a' } },
    });
  });
});

describeGateway('resources of one server', () => {
  let git: SdkServer;
  beforeAll(async () => {
    git = await startSdkServer({
      name: 'git',
      resources: ['file:///repo/a', 'https://git.example/doc'],
      templates: ['https://git.example/issue/{id}'],
    });
  });
  afterAll(() => git.stop());
  const gateway = useGateway(() => ({ servers: [{ name: 'git', url: git.url }] }));

  it('have the URIs that the server gives them', async () => {
    const { client, close } = await connectSdk(gateway.current.url, 'HTTP/1.1');
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(['file:///repo/a', 'https://git.example/doc']);
    for (const uri of ['file:///repo/a', 'https://git.example/issue/7']) {
      expect(await read(client, uri)).toEqual([`${uri} of git`]);
    }
    await close();
  });
});
