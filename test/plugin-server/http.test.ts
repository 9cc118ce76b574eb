import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FormName, Forms } from '../../plugin-server/plugins/forms.ts';
import { type RunningPluginServer, loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { unwrap } from '../../plugin-server/publish/unwrap.ts';
import { send, sendRaw } from './client.ts';
import { moduleWith } from './modules.ts';

const modified = new Date('2026-11-20T09:13:39.947Z');
const sluice = loadArtifact('sluice', '1.0.0', moduleWith('sluice 1.0.0'), modified);
const artifacts = [
  sluice,
  loadArtifact('sluice', '1.1.0+build.7', moduleWith('sluice 1.1.0')),
  loadArtifact('key-auth', '2.0.0', moduleWith('key-auth 2.0.0')),
];
const base = '/plugins/sluice/1.0.0';
const module = `${base}/plugin.wasm`;
const size = sluice.bytes.length;

let server: RunningPluginServer;

beforeAll(async () => {
  server = await startPluginServer({ artifacts, host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await server.close();
});

describe('the module', () => {
  test('is sent whole, with a strong tag, for ever, as it is', async () => {
    // Envoy's fetch sends these and nothing else; curl and browsers offer to decompress.
    const headers = { 'x-envoy-internal': 'true', 'x-forwarded-for': '10.0.0.1', 'accept-encoding': 'gzip, br' };
    const answer = await send(server.url, module, { headers });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(sluice.bytes);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/wasm',
      'content-length': String(size),
      etag: `"${sluice.sha256}"`,
      'cache-control': 'public, max-age=31536000, immutable',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      // RFC 9530
      'repr-digest': `sha-256=:${Buffer.from(sluice.sha256, 'hex').toString('base64')}:`,
    });
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
  });

  test.each([
    ['a first part', { range: 'bytes=0-7' }, 206, `bytes 0-7/${size}`, sluice.bytes.subarray(0, 8)],
    ['a last part', { range: 'bytes=-4' }, 206, `bytes ${size - 4}-${size - 1}/${size}`, sluice.bytes.subarray(-4)],
    ['the rest', { range: 'bytes=8-' }, 206, `bytes 8-${size - 1}/${size}`, sluice.bytes.subarray(8)],
    ['more than there is', { range: 'bytes=0-9999' }, 206, `bytes 0-${size - 1}/${size}`, sluice.bytes],
    [
      'a part of this module',
      { range: 'bytes=0-0', 'if-range': sluice.etag },
      206,
      `bytes 0-0/${size}`,
      Buffer.alloc(1),
    ],
    ['a part of another module', { range: 'bytes=0-0', 'if-range': '"other"' }, 200, undefined, sluice.bytes],
    ['several parts', { range: 'bytes=0-1,4-5' }, 200, undefined, sluice.bytes],
    ['an unknown unit', { range: 'lines=0-1' }, 200, undefined, sluice.bytes],
  ])('range: %s', async (_what, headers, status, contentRange, body) => {
    const answer = await send(server.url, module, { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-range']).toBe(contentRange);
    expect(answer.headers['content-length']).toBe(String(body.length));
    expect(answer.headers['content-type']).toBe('application/wasm');
    expect(answer.body).toEqual(body);
  });

  test('a range that begins behind the end is a 416 that tells the size', async () => {
    const answer = await send(server.url, module, { headers: { range: `bytes=${size}-` } });
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toBe(`bytes */${size}`);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'range_not_satisfiable' } });
  });

  test.each([
    ['our tag', { 'if-none-match': sluice.etag }],
    ['our tag, weak, in a list', { 'if-none-match': `"other", W/${sluice.etag}` }],
    ['any', { 'if-none-match': '*' }],
    ['our tag, before the range is looked at', { 'if-none-match': sluice.etag, range: 'bytes=99999-' }],
  ])('if-none-match: %s is a 304 without a body', async (_what, headers) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(server.url, module, { method, headers });
      expect(answer.status).toBe(304);
      expect(answer.body).toHaveLength(0);
      // RFC 9110 §15.4.5: what a 200 would have said about caching; §8.6: no length that differs from a 200's.
      expect(answer.headers.etag).toBe(sluice.etag);
      expect(answer.headers['cache-control']).toContain('immutable');
      expect(answer.headers['content-length']).toBeUndefined();
    }
  });

  test('if-none-match with another tag is a 200', async () => {
    expect((await send(server.url, module, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('if-match with another tag is a 412', async () => {
    const answer = await send(server.url, module, { headers: { 'if-match': '"other"' } });
    expect(answer.status).toBe(412);
    expect(answer.body.toString()).toContain(sluice.sha256);
  });

  test('a version with build metadata is addressed as it is written', async () => {
    expect((await send(server.url, '/plugins/sluice/1.1.0+build.7/plugin.wasm')).status).toBe(200);
  });
});

describe('a range instead of a version', () => {
  test.each([
    ['latest', 'plugin.wasm', '1.1.0+build.7'],
    ['^1', 'plugin.wasm', '1.1.0+build.7'],
    ['%5E1.0.0', 'plugin.wasm', '1.1.0+build.7'],
    ['1.0.x', 'plugin.wasm', '1.0.0'],
    ['~1.0', 'plugin.wasm.sha256', '1.0.0'],
    ['v1.0.0', 'metadata.json', '1.0.0'],
    ['%3E%3D1.0.0%20%3C1.1.0', 'plugin.tar.gz', '1.0.0'],
  ])('%s/%s leads to %s', async (range, file, version) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await send(server.url, `/plugins/sluice/${range}/${file}`, { method });
      expect(answer.status).toBe(307);
      expect(answer.headers.location).toBe(`/plugins/sluice/${version}/${file}`);
      // A newer version may come at any time.
      expect(answer.headers['cache-control']).toBe('no-cache');
      expect((await send(server.url, answer.headers.location ?? '')).status).toBe(200);
    }
  });
});

describe('beside the module', () => {
  test('its digest, as sha256sum prints it', async () => {
    const answer = await send(server.url, `${module}.sha256`);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.headers['cache-control']).toContain('immutable');
    expect(answer.body.toString()).toBe(`${sluice.sha256}  plugin.wasm\n`);
  });

  test("Higress' metadata, with the digest that gateways verify", async () => {
    const answer = await send(server.url, `${base}/metadata.txt`);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.body.toString()).toBe(
      [
        'Plugin Name: sluice',
        `Size: ${size} bytes`,
        'Last Modified: 2026-11-20T09:13:39.947Z',
        'Created: 2026-11-20T09:13:39.947Z',
        `MD5: ${sluice.md5}`,
        `SHA256: ${sluice.sha256}`,
        '',
      ].join('\n'),
    );
  });

  test('all that is known, as JSON', async () => {
    const answer = await send(server.url, `${base}/metadata.json`);
    expect(JSON.parse(answer.body.toString())).toEqual({
      name: 'sluice',
      version: '1.0.0',
      size,
      sha256: sluice.sha256,
      url: module,
      md5: sluice.md5,
      abi: '0.2.1',
      imports: [],
      exports: ['proxy_abi_version_0_2_1'],
      published: { at: modified.toISOString(), source: 'build' },
    });
  });

  test.each([
    ['plugin.wasm.gz', 'application/gzip', ['gzip']],
    ['plugin.tar', 'application/x-tar', ['tar']],
    ['plugin.tar.gz', 'application/gzip', ['gzip', 'tar']],
  ])('%s has the module in it', async (file, type, wrappings) => {
    const answer = await send(server.url, `${base}/${file}`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-type']).toBe(type);
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.headers['cache-control']).toContain('immutable');
    expect(answer.headers.etag).toBe(`"${createHash('sha256').update(answer.body).digest('hex')}"`);
    expect(await unwrap(answer.body, 1_000_000, file)).toEqual({ bytes: sluice.bytes, wrappings });
    const part = await send(server.url, `${base}/${file}`, { headers: { range: 'bytes=10-19' } });
    expect(part.body).toEqual(answer.body.subarray(10, 20));
    // Another replica, another day: the same bytes.
    const made = await new Forms().get(sluice, file as FormName);
    expect(made.bytes).toEqual(answer.body);
  });

  test('the listings: all plugins, one plugin, newest version first', async () => {
    const all = JSON.parse((await send(server.url, '/plugins')).body.toString()) as { plugins: { name: string }[] };
    const one = await send(server.url, '/plugins/sluice');
    expect(all.plugins.map(({ name }) => name)).toEqual(['key-auth', 'sluice']);
    expect(all.plugins[1]).toEqual(JSON.parse(one.body.toString()));
    expect(one.headers['cache-control']).toBe('no-cache');
    expect(JSON.parse(one.body.toString())).toMatchObject({
      name: 'sluice',
      versions: [{ version: '1.1.0+build.7' }, { version: '1.0.0', size, sha256: sluice.sha256, url: module }],
    });
  });

  test('each url of the listing leads to bytes with its digest', async () => {
    for (const artifact of artifacts) {
      const { body } = await send(server.url, `/plugins/${artifact.name}/${artifact.version}/plugin.wasm`);
      expect(loadArtifact(artifact.name, artifact.version, body).sha256).toBe(artifact.sha256);
    }
  });

  test('health', async () => {
    const answer = await send(server.url, '/healthz');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body.toString()).toBe('{"status":"ok"}\n');
  });
});

const paths = [
  module,
  `${module}.sha256`,
  `${module}.gz`,
  `${base}/plugin.tar`,
  `${base}/plugin.tar.gz`,
  `${base}/metadata.txt`,
  `${base}/metadata.json`,
  '/plugins',
  '/plugins/sluice',
  '/healthz',
  '/readyz',
  '/openapi.json',
];

test.each(paths)('HEAD %s has the headers of GET, and no body', async (path) => {
  const got = await send(server.url, path);
  const answer = await send(server.url, path, { method: 'HEAD', headers: { range: 'bytes=0-0' } });
  expect(answer.status).toBe(200);
  expect(answer.body).toHaveLength(0);
  expect({ ...answer.headers, date: '' }).toEqual({ ...got.headers, date: '' });
});

const otherMethods = ['POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

test.each(paths)('other methods on %s are a 405 that names those that are possible', async (path) => {
  const isPublished = path === module;
  for (const method of isPublished ? otherMethods : [...otherMethods, 'PUT']) {
    const answer = await send(server.url, path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(isPublished ? 'GET, HEAD, PUT' : 'GET, HEAD');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { code: 'method_not_allowed' } });
  }
});

test('a body changes nothing: neither its type nor its size hides that the method is wrong', async () => {
  const body = Buffer.alloc(1_000_000);
  const types = ['application/wasm', 'application/json', 'text/plain'];
  for (const type of types) {
    const headers = { 'content-type': type, 'content-length': body.length };
    expect((await send(server.url, `${base}/metadata.txt`, { method: 'PUT', headers, body })).status).toBe(405);
    expect((await send(server.url, '/elsewhere', { method: 'POST', headers, body })).status).toBe(404);
  }
});

describe('errors', () => {
  test.each([
    ['/', 404, 'not_found', 'GET /plugins lists what is'],
    ['/gateways', 404, 'live_off', '--gateways DIR'],
    ['/gateways/edge/rollback', 404, 'live_off', '--gateways DIR'],
    ['/v3/discovery:clusters', 404, 'live_off', '--gateways DIR'],
    ['/gatewayss', 404, 'not_found', ''],
    ['/plugins/', 400, 'invalid_name', '"" is not a plugin name'],
    [`${base}/other.wasm`, 404, 'not_found', ''],
    ['/plugins/slice/1.0.0/plugin.wasm', 404, 'unknown_plugin', 'no plugin slice; did you mean sluice?'],
    ['/plugins/keyauth', 404, 'unknown_plugin', 'did you mean key-auth?'],
    ['/plugins/sluice/1.0.1/plugin.wasm', 404, 'unknown_version', 'no version 1.0.1 of sluice; did you mean 1.0.0?'],
    ['/plugins/sluice/9.9.9/metadata.txt', 404, 'unknown_version', 'GET /plugins/sluice lists all'],
    ['/plugins/slice/1.0.0/plugin.wasm.sha256', 404, 'unknown_plugin', ''],
    ['/plugins/sluice/newest/plugin.wasm', 400, 'invalid_version', '"newest" is not a version'],
    ['/plugins/sluice/1.0.0%0a/plugin.wasm', 400, 'invalid_version', 'exact, like 1.2.3'],
    ['/plugins/sluice/^3/plugin.wasm', 404, 'no_match', 'no version of sluice is in the range "^3"'],
    [`${module}.sig`, 404, 'unsigned', 'sluice/1.0.0 has no signature'],
    ['/plugins/SLUICE/1.0.0/plugin.wasm', 400, 'invalid_name', 'lower-case'],
    [`/plugins/${'a'.repeat(129)}`, 414, 'path_too_long', ''],
    [`/plugins/sluice/1.0.0-${'a'.repeat(123)}/plugin.wasm`, 414, 'path_too_long', ''],
    ['/plugins/%zz', 400, 'bad_request', '%zz'],
  ])('%s', async (path, status, code, message) => {
    const answer = await send(server.url, path);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: { code, message: expect.stringContaining(message) as string },
    });
  });

  // None of these can reach a file: what is served is in memory, under names that were checked.
  test.each([
    '/plugins/../../etc/passwd',
    '/../../../../etc/passwd',
    '/plugins/sluice/1.0.0/../1.0.0/plugin.wasm',
    '/plugins/../plugins/sluice',
    '/plugins/%2e%2e/1.0.0/plugin.wasm',
    '/plugins/sluice/%2e%2e/plugin.wasm',
    '/plugins/..%2f..%2fetc/1.0.0/plugin.wasm',
    '/plugins/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/plugins/..%5c..%5cetc/1.0.0/plugin.wasm',
    '/plugins/sluice%2f1.0.0/plugin.wasm',
    '/plugins/sluice/1.0.0%2fplugin.wasm',
    '/plugins/sluice%00/1.0.0/plugin.wasm',
    '/plugins/sluice/1.0.0%00.txt/plugin.wasm',
    '/plugins/sluice/1.0.0/plugin.wasm%00.sha256',
    '/plugins/sluice%0d%0aset-cookie:a/1.0.0/plugin.wasm',
    '/plugins/%c0%ae%c0%ae/1.0.0/plugin.wasm',
    '//plugins/sluice/1.0.0/plugin.wasm',
    '/plugins//1.0.0/plugin.wasm',
    '/plugins/sluice/1.0.0/plugin.wasm/',
    '/plugins/__proto__/1.0.0/plugin.wasm',
    '/plugins/constructor/1.0.0/plugin.wasm',
  ])('%s leads nowhere', async (path) => {
    const answer = await send(server.url, path);
    expect([400, 404]).toContain(answer.status);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(Object.keys(JSON.parse(answer.body.toString()) as object)).toEqual(['error']);
  });

  test.each([
    ['what is not HTTP', 'EHLO sluice\r\n\r\n', '400 Bad Request', 'bad_request'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'headers_too_large',
    ],
    [
      'two lengths, as in request smuggling',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 Bad Request',
      'bad_request',
    ],
  ])('%s is answered in the same form, and the connection closed', async (_what, bytes, status, code) => {
    const [head = '', body = ''] = (await sendRaw(server.url, bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status}\r\n`));
    expect(head).toMatch(new RegExp(`content-length: ${Buffer.byteLength(body)}\r\n`));
    expect(JSON.parse(body)).toMatchObject({ error: { code } });
  });
});
