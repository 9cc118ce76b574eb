// What Envoys and operators are answered, and what those are who are none.
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { until } from '../e2e/until.ts';
import { type Answer, send } from '../plugin-server/client.ts';
import { type Folders, type LiveServer, type ServerOptions, folders, startLive, useKept, write } from './support.ts';

const configuration = (name = 'a', more: object = {}): object => ({
  servers: [{ name, url: `http://${name}.example:8080/mcp`, prefix: `${name}_` }],
  ...more,
});

const keep = useKept('edge', configuration());

async function serving(options: ServerOptions = {}, prepare?: (where: Folders) => void): Promise<LiveServer & Folders> {
  const where = folders();
  keep(where);
  prepare?.(where);
  return Object.assign(await startLive(where, options), where);
}

interface PollBody {
  readonly version_info?: string;
  readonly node?: unknown;
  readonly resource_names?: readonly string[];
  readonly [member: string]: unknown;
}

const paths = { clusters: '/v3/discovery:clusters', filters: '/v3/discovery:extension_configs' };

function poll(
  { url }: LiveServer,
  kind: keyof typeof paths,
  body: PollBody | string = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const defaults = { node: { id: 'n1', cluster: 'edge' }, ...(kind === 'filters' && { resource_names: ['sluice'] }) };
  const text = typeof body === 'string' ? body : JSON.stringify({ ...defaults, ...body });
  return send(url, paths[kind], { method: 'POST', headers, body: Buffer.from(text) });
}

interface Discovery {
  readonly version_info: string;
  readonly type_url: string;
  readonly resources: readonly Record<string, unknown>[];
}

const discovery = ({ status, body }: Answer): Discovery => {
  expect(status).toBe(200);
  return JSON.parse(body.toString()) as Discovery;
};

const errorOf = ({ status, body }: Answer): { status: number; code: string; message: string } => {
  const { error } = JSON.parse(body.toString()) as { error: { code: string; message: string } };
  return { status, ...error };
};

describe('a node', () => {
  test('gets clusters, then the filter, the module in it, and 304 from then on', async () => {
    const server = await serving();
    const clusters = discovery(await poll(server, 'clusters'));
    expect(clusters.type_url).toBe('type.googleapis.com/envoy.config.cluster.v3.Cluster');
    expect(clusters.resources.map(({ name }) => name)).toEqual([expect.stringMatching(/^a@[0-9a-f]{8}$/)]);

    expect(await poll(server, 'filters')).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    expect(await poll(server, 'clusters', { version_info: clusters.version_info })).toMatchObject({ status: 304 });
    const filters = discovery(await poll(server, 'filters'));
    const [artifact] = server.store.versions('sluice');
    expect(filters.resources).toMatchObject([
      {
        '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
        name: 'sluice',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm',
          config: {
            name: 'sluice',
            root_id: 'sluice',
            failure_policy: 'FAIL_RELOAD',
            allow_on_headers_stop_iteration: true,
            vm_config: {
              vm_id: `sluice-${artifact?.sha256 ?? ''}`,
              code: { local: { inline_bytes: artifact?.bytes.toString('base64') } },
            },
          },
        },
      },
    ]);
    expect(await poll(server, 'filters', { version_info: filters.version_info })).toMatchObject({ status: 304 });
    expect(server.live.directory.all().map((gateway) => server.live.statusOf(gateway).nodes)).toMatchObject([
      [{ id: 'n1', address: '127.0.0.1', state: 'current', filters: { sluice: filters.version_info } }],
    ]);
  });

  test('that says how long it waits is kept waiting, and has an edit at once', async () => {
    const server = await serving();
    const clusters = discovery(await poll(server, 'clusters')).version_info;
    await poll(server, 'clusters', { version_info: clusters });
    const filters = discovery(await poll(server, 'filters')).version_info;
    await poll(server, 'filters', { version_info: filters });
    const held = poll(server, 'clusters', { version_info: clusters }, { 'x-envoy-expected-rq-timeout-ms': '3600000' });
    await until('it waits', () => server.live.delivery.waiting === 1);
    write(server, 'edge', configuration('b'));
    expect(discovery(await held).resources.map(({ name }) => String(name).replace(/@.*/, ''))).toEqual(['b', 'a']);
    expect(server.live.delivery.waiting).toBe(0);
  });

  test('that waits is let go when the server closes', async () => {
    const server = await serving();
    const clusters = discovery(await poll(server, 'clusters')).version_info;
    await poll(server, 'clusters', { version_info: clusters });
    const filters = discovery(await poll(server, 'filters')).version_info;
    await poll(server, 'filters', { version_info: filters });
    const held = poll(server, 'filters', { version_info: filters }, { 'x-envoy-expected-rq-timeout-ms': '60000' });
    await until('it waits', () => server.live.delivery.waiting === 1);
    await server.close();
    expect(await held).toMatchObject({ status: 304 });
  });

  test('whose clusters another plugin server gives, is sent to look for that one', async () => {
    const server = await serving();
    const answers = [await poll(server, 'filters'), await poll(server, 'filters'), await poll(server, 'filters')];
    expect(answers.map(({ status }) => status)).toEqual([304, 304, 304]);
    expect(answers.at(-1)?.headers.connection).toBe('close');
  });

  test('that says why it refuses is quoted, without what could be a secret', async () => {
    const server = await serving();
    const said = 'bad\u2028line\nauthorization: "Bearer abcdefgh" token=hunter2 http://user:pw@example.com';
    await poll(server, 'clusters', { error_detail: { code: 3, message: said + 'x'.repeat(9000) } });
    const [node] = server.live.delivery.nodesOf('edge').all(Date.now());
    expect(node?.clusters?.error).toMatch(/^bad line authorization: …/);
    expect(node?.clusters?.error).not.toMatch(/abcdefgh|hunter2|pw@|x{32}|[\n\u2028]/);
    expect(node?.clusters?.error?.length).toBeLessThanOrEqual(500);
  });
});

describe('a poll that is none', () => {
  const node = { id: 'n1', cluster: 'edge' };
  test.each([
    ['not JSON', '{"node":', 'poll_invalid', 400, /no JSON; a bootstrap has to say api_type: REST/],
    ['empty', '', 'poll_invalid', 400, /no JSON/],
    ['a list', '[]', 'poll_invalid', 400, /expected object/],
    ['without a node', '{}', 'poll_invalid', 400, /^the poll could not be read: node: /],
    ['without an id', JSON.stringify({ node: { cluster: 'edge' } }), 'poll_invalid', 400, /node\.id/],
    ['with a long id', JSON.stringify({ node: { ...node, id: 'x'.repeat(257) } }), 'poll_invalid', 400, /node\.id/],
    ['with a list as its version', JSON.stringify({ node, version_info: [] }), 'poll_invalid', 400, /version_info/],
    [
      'of another type',
      JSON.stringify({ node, type_url: 'x' }),
      'poll_invalid',
      400,
      /this path serves type\.googleapis/,
    ],
    ['of 1 MiB and a byte', ' '.repeat(1024 * 1024 + 1), 'too_large', 413, /larger than the limit of 1048576/],
  ])('%s', async (_what, body, code, status, message) => {
    const server = await serving();
    const error = errorOf(await poll(server, 'clusters', body));
    expect(error).toMatchObject({ status, code });
    expect(error.message).toMatch(message);
    expect(server.live.rejections.all()).toMatchObject([{ code, times: 1 }]);
    expect(await poll(server, 'clusters')).toMatchObject({ status: 200 });
  });

  test('without names of filters', async () => {
    const error = errorOf(await poll(await serving(), 'filters', { resource_names: [] }));
    expect(error).toMatchObject({ status: 400, code: 'poll_invalid' });
  });

  test('of 1 MiB is read', async () => {
    const body = JSON.stringify({ node, padding: '' });
    const padded = body.replace('""', `"${'x'.repeat(1024 * 1024 - body.length)}"`);
    expect(padded.length).toBe(1024 * 1024);
    expect(await poll(await serving(), 'clusters', padded)).toMatchObject({ status: 200 });
  });

  test('without a length, and without an end in sight, ends at the limit', async () => {
    const { url } = await serving();
    const answer = fetch(url + paths.clusters, {
      method: 'POST',
      body: new ReadableStream({
        pull: (controller) => {
          controller.enqueue(new Uint8Array(65_536).fill(32));
        },
      }),
      duplex: 'half',
    });
    // The server answers and closes, or closes while the client still writes.
    await answer.then(
      (response) => {
        expect(response.status).toBe(413);
      },
      (error: unknown) => {
        expect(String(error)).toContain('fetch failed');
      },
    );
  });

  test.each([
    ['another filter', 'filters', { resource_names: ['dyn'] }, 'unknown_extension', 404, /did you mean sluice\?/],
    [
      'half of a pair',
      'filters',
      { resource_names: ['sluice-holder'] },
      'unknown_extension',
      404,
      /set hostMode: pair/,
    ],
    [
      'no gateway',
      'clusters',
      { node: { id: 'n', cluster: 'egde' } },
      'unknown_gateway',
      404,
      /"egde"; did you mean edge/,
    ],
  ] as const)('for %s', async (_what, kind, body, code, status, message) => {
    const server = await serving();
    const error = errorOf(await poll(server, kind, body));
    expect(error).toMatchObject({ status, code });
    expect(error.message).toMatch(message);
  });

  test('but a GET', async () => {
    const { url } = await serving();
    const answer = await send(url, paths.clusters);
    expect(errorOf(answer)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(answer.headers.allow).toBe('POST');
  });

  test('for a gateway without any version says so', async () => {
    const server = await serving({}, (where) => {
      write(where, 'empty', 'servers: [');
    });
    const error = errorOf(await poll(server, 'clusters', { node: { id: 'n', cluster: 'empty' } }));
    expect(error).toMatchObject({ status: 503, code: 'gateway_unready' });
  });
});

describe('tokens', () => {
  const own = 'the-token-of-edge-0123456789';
  const others = 'the-token-of-core-0123456789';
  const withTokens = (where: Folders): void => {
    write(where, 'core', configuration('c'));
    write(where, 'edge', `# rotated in May\nold-token-of-edge-0123456789\n${own}\n`, 'token');
    write(where, 'core', others, 'token');
  };

  test.each([
    ['its own', { authorization: `Bearer ${own}` }, 200, undefined],
    ['the one before', { authorization: 'bearer old-token-of-edge-0123456789' }, 200, undefined],
    ['none', {}, 401, 'token_required'],
    ['nobody’s', { authorization: `Bearer ${own}x` }, 401, 'token_required'],
    ['its own, as a password', { authorization: `Basic ${own}` }, 401, 'token_required'],
    ['another gateway’s', { authorization: `Bearer ${others}` }, 403, 'token_foreign'],
  ])('%s', async (_what, headers, status, code) => {
    const server = await serving({ tokensRequired: true }, withTokens);
    const answer = await poll(server, 'clusters', {}, headers);
    expect(answer.status).toBe(status);
    if (code === undefined) return;
    expect(errorOf(answer).code).toBe(code);
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
    expect(JSON.stringify(server.log) + answer.body.toString()).not.toMatch(/-0123456789/);
  });

  test('another gateway’s is told where it belongs', async () => {
    const server = await serving({ tokensRequired: true }, withTokens);
    const answer = await poll(server, 'clusters', {}, { authorization: `Bearer ${others}` });
    expect(errorOf(answer).message).toBe(
      'the token is not one of the gateway "edge"; it is one of core: correct node.cluster, or the token',
    );
  });

  test('are asked for before a body is read', async () => {
    const server = await serving({ tokensRequired: true }, withTokens);
    expect(errorOf(await poll(server, 'clusters', 'not JSON'))).toMatchObject({ code: 'token_required' });
  });

  test('on loopback: a gateway has one if there is a file, and none else', async () => {
    const server = await serving({}, (where) => {
      write(where, 'core', configuration('c'));
      write(where, 'core', others, 'token');
    });
    expect(await poll(server, 'clusters')).toMatchObject({ status: 200 });
    const error = errorOf(await poll(server, 'clusters', { node: { id: 'n', cluster: 'core' } }));
    expect(error).toMatchObject({ status: 401, message: 'a bearer token is needed here, and core has a token file' });
  });

  test('from a file that cannot be used, open nothing, and the file is told without its content', async () => {
    const server = await serving({}, (where) => {
      write(where, 'edge', 'short', 'token');
    });
    expect(errorOf(await poll(server, 'clusters'))).toMatchObject({ status: 401 });
    expect(server.live.problems()).toEqual(['edge: its token file cannot be used']);
  });

  test('that are new are in force without a restart', async () => {
    const server = await serving({ tokensRequired: true }, withTokens);
    write(server, 'edge', 'a-new-token-of-edge-0123456789', 'token');
    await until('it is in force', async () => {
      const headers = { authorization: 'Bearer a-new-token-of-edge-0123456789' };
      return (await poll(server, 'clusters', {}, headers)).status === 200;
    });
    expect(await poll(server, 'clusters', {}, { authorization: `Bearer ${own}` })).toMatchObject({ status: 401 });
  });
});

test('the API that is described has the paths and methods of live delivery', async () => {
  const { url } = await serving();
  const api = JSON.parse((await send(url, '/openapi.json')).body.toString()) as { paths: Record<string, object> };
  expect(await new Validator().validate(api)).toMatchObject({ valid: true });
  const live = Object.entries(api.paths).filter(([path]) => /^\/(?:v3|gateways)/.test(path));
  expect(live).toHaveLength(7);
  for (const [path, operations] of live) {
    const { headers } = await send(url, path.replace('{name}', 'edge'), { method: 'DELETE' });
    const methods = Object.keys(operations).filter((method) => method !== 'parameters');
    expect(String(headers.allow).replace('GET, HEAD', 'GET')).toBe(methods.join(', ').toUpperCase());
  }
});

describe('an operator', () => {
  const json = { 'content-type': 'application/json' };
  const post = (
    server: LiveServer,
    path: string,
    body: string,
    headers: Record<string, string> = json,
  ): Promise<Answer> => send(server.url, path, { method: 'POST', headers, body: Buffer.from(body) });

  test('sees every gateway, what was refused, and who was turned away', async () => {
    const server = await serving({}, (where) => {
      write(where, 'bad', configuration('b', { endpont: '/mcp' }));
    });
    await poll(server, 'clusters', { node: { id: 'n', cluster: 'egde' } });
    const { status, body } = await send(server.url, '/gateways');
    expect(status).toBe(200);
    expect(JSON.parse(body.toString())).toMatchObject({
      gateways: [
        {
          name: 'bad',
          version: null,
          refused: {
            problems: [{ rule: 'session-keys' }, { path: 'endpont', severity: 'error', line: 1, column: 75 }],
          },
        },
        { name: 'edge', version: { generation: 1, module: { version: '0.1.0' } }, refused: null },
      ],
      problems: ['bad: the last edit was refused, nothing is given out'],
      rejected: [{ code: 'unknown_gateway', address: '127.0.0.1', times: 1 }],
    });
    const ready = await send(server.url, '/readyz');
    expect(ready.status).toBe(200); // one gateway has a version
    expect(JSON.parse(ready.body.toString())).toMatchObject({
      status: 'ready',
      gateways: { count: 2, problems: [/bad: /] },
    });
    const metrics = (await send(server.url, '/metrics')).body.toString();
    expect(metrics).toContain('sluice_gateway_edit_refused{gateway="bad"} 1');
    expect(metrics).toContain('sluice_gateway_generation{gateway="edge"} 1');
  });

  test('rolls back, and the file stays untaken until it is edited', async () => {
    const server = await serving();
    write(server, 'edge', configuration('b'));
    await server.live.directory.refresh();
    const { status, body } = await post(server, '/gateways/edge/rollback', '{}');
    expect(status).toBe(200);
    expect(JSON.parse(body.toString())).toMatchObject({ gateway: 'edge', version: { generation: 1 } });
    const gateway = await send(server.url, '/gateways/edge');
    expect(JSON.parse(gateway.body.toString())).toMatchObject({
      version: { generation: 1 },
      rolledBack: true,
      versions: [{ generation: 2 }, { generation: 1 }],
    });
  });

  test.each([
    ['an unknown version', '/gateways/edge/rollback', '{"to":"7"}', 404, 'unknown_gateway_version'],
    ['where there is none before', '/gateways/edge/rollback', '{}', 404, 'unknown_gateway_version'],
    ['an unknown gateway', '/gateways/egde/rollback', '{}', 404, 'unknown_gateway'],
    ['another member', '/gateways/edge/rollback', '{"too":"1"}', 400, 'bad_request'],
    ['no JSON', '/gateways/edge/rollback', '{', 400, 'bad_request'],
    ['too much', '/gateways/edge/rollback', `{"to":"${'1'.repeat(2000)}"}`, 413, 'too_large'],
  ])('cannot roll back to %s', async (_what, path, body, status, code) => {
    expect(errorOf(await post(await serving(), path, body))).toMatchObject({ status, code });
  });

  test('is no web page', async () => {
    const server = await serving();
    const plain = await post(server, '/gateways/edge/rollback', '{}', { 'content-type': 'text/plain' });
    expect(errorOf(plain)).toMatchObject({ status: 400, code: 'bad_request' });
    const rebound = await send(server.url, '/gateways', { headers: { host: 'evil.example' } });
    expect(errorOf(rebound)).toMatchObject({ status: 401, code: 'token_required' });
  });

  test('has a token that allows publishing, where the server has any', async () => {
    const publishToken = 'publishers-only-0123456789';
    const server = await serving({ publishToken });
    expect(errorOf(await send(server.url, '/gateways'))).toMatchObject({ status: 401 });
    const headers = { authorization: `Bearer ${publishToken}` };
    expect(await send(server.url, '/gateways', { headers })).toMatchObject({ status: 200 });
  });

  test('has no way in from elsewhere without one', async () => {
    const server = await serving({ tokensRequired: true });
    expect(errorOf(await send(server.url, '/gateways'))).toMatchObject({ status: 401, message: /--token-file FILE/ });
  });
});
