// What those see who run the server: readiness, metrics, the access log, the API's description, the page.
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { errorTable } from '../../plugin-server/errors.ts';
import { ArtifactStore, Catalogs, createPluginServer, loadArtifact } from '../../plugin-server/index.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';
import { publishing, startServer, token } from './support.ts';

const sluice = loadArtifact('sluice', '1.0.0', moduleWith('sluice'));
const path = '/plugins/sluice/1.0.0/plugin.wasm';

describe('/readyz', () => {
  test('says what there is, and what is wrong with it', async () => {
    const store = new ArtifactStore([sluice]);
    store.addDamage({ name: 'sluice', version: '0.9.0', reason: 'for this test' });
    const { url } = await startServer({
      artifacts: store,
      problems: () => ['a/1.0.0/plugin.wasm: ENOENT'],
      publishing,
    });
    const answer = await send(url, '/readyz');
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(answer.body.toString())).toEqual({
      status: 'ready',
      store: {
        ready: true,
        plugins: 1,
        versions: 1,
        bytes: sluice.bytes.length,
        publishing: 'on',
        damaged: [expect.stringContaining('sluice/0.9.0 is damaged on disk (for this test)') as string],
        problems: ['a/1.0.0/plugin.wasm: ENOENT'],
      },
    });
    expect((await send(url, '/plugins/sluice/0.9.0/plugin.wasm')).status).toBe(503);
  });
});

test('/readyz is 503 as long as there is nothing to give out', async () => {
  const store = new ArtifactStore([]);
  const { url } = await startServer({ artifacts: store, publishing });
  expect((await send(url, '/readyz')).status).toBe(503);
  const headers = { authorization: `Bearer ${token}` };
  expect((await send(url, path, { method: 'PUT', headers, body: moduleWith('first') })).status).toBe(201);
  expect((await send(url, '/readyz')).status).toBe(200);
});

test('/metrics counts by route, status and outcome, and never by what a client made up', async () => {
  const { url } = await startServer({ artifacts: new ArtifactStore([sluice]), publishing });
  await send(url, path);
  await send(url, path, { headers: { 'if-none-match': sluice.etag } });
  await send(url, path, { method: 'HEAD' });
  await send(url, '/plugins/made-up/1.0.0/plugin.wasm');
  await send(url, '/made/up');
  const headers = { authorization: `Bearer ${token}` };
  await send(url, '/plugins/new/1.0.0/plugin.wasm', { method: 'PUT', headers, body: moduleWith('new') });
  await send(url, '/plugins/new/1.0.0/plugin.wasm', { method: 'PUT', headers, body: moduleWith('newer') });
  const answer = await send(url, '/metrics');
  const text = answer.body.toString();
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  const route = 'route="/plugins/:name/:version/plugin.wasm"';
  for (const line of [
    `sluice_http_requests_total{${route},status="200"} 2`,
    `sluice_http_requests_total{${route},status="304"} 1`,
    `sluice_http_requests_total{${route},status="404"} 1`,
    `sluice_http_requests_total{route="none",status="404"} 1`,
    `sluice_publishes_total{result="created"} 1`,
    `sluice_publishes_total{result="conflict"} 1`,
    'sluice_versions 2',
    'sluice_damaged_versions 0',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toContain('made-up');
  expect(text).toMatch(/^process_cpu_seconds_total \d/m);
});

test('the access log has a line for each request, and no credentials', async () => {
  const lines: string[] = [];
  const { url } = await startServer({ artifacts: [sluice], accessLog: (line) => lines.push(line) });
  await send(url, path, { headers: { 'user-agent': 'test "agent"\t1', authorization: 'Bearer secret-secret-secret' } });
  await send(url, '/nothing%0a{"here":1}', { method: 'POST' });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { method: 'GET', path, status: 200, bytes: sluice.bytes.length, client: '127.0.0.1', agent: 'test "agent"\t1' },
    { method: 'POST', path: '/nothing%0a{"here":1}', status: 404 },
  ]);
  expect(lines.join()).not.toContain('secret');
  expect(lines.join()).not.toContain('\n');
});

/** The paths of Fastify's tree: each line adds to the last one that is less indented. */
function routesIn(tree: string): string[] {
  const parents: string[] = [];
  return tree
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, indent = '', part = ''] = /^((?:│ {3}| {4})*)[├└]── (\S+) \(/.exec(line) ?? [];
      const depth = indent.length / 4;
      const path = (parents[depth - 1] ?? '') + part;
      parents[depth] = path;
      return path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}');
    });
}

describe('/openapi.json', () => {
  test('is valid, and what is served', async () => {
    const { url } = await startServer({ artifacts: [sluice] });
    const served = JSON.parse((await send(url, '/openapi.json')).body.toString()) as Record<string, unknown>;
    expect(await new Validator().validate(served)).toMatchObject({ valid: true });
  });

  test('has the paths and methods that there are, and no others', async () => {
    const store = new ArtifactStore([sluice]);
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const catalogs = { catalogs: new Catalogs({ state: '', store, log }), access: { tokensRequired: false } };
    const app = createPluginServer({ artifacts: store, catalogs });
    await app.ready();
    const { paths } = (await app.inject('/openapi.json')).json<{ paths: Record<string, object> }>();
    const described = Object.entries(paths);
    expect(described.map(([url]) => url).sort()).toEqual(routesIn(app.printRoutes({ commonPrefix: false })).sort());
    for (const [url, operations] of described) {
      const real = url.replace('{name}', 'sluice').replace('{version}', '1.0.0');
      const answer = await app.inject({ method: 'DELETE', url: real, headers: { host: 'localhost' } });
      const methods = Object.keys(operations).filter((method) => method !== 'parameters');
      expect(String(answer.headers.allow).replace('GET, HEAD', 'GET')).toBe(methods.join(', ').toUpperCase());
    }
    await app.close();
  });

  test('knows the errors of the table', async () => {
    const app = createPluginServer({ artifacts: [sluice] });
    const served = (await app.inject('/openapi.json')).json<{
      components: { schemas: { Error: { properties: { error: { properties: { code: { enum: string[] } } } } } } };
    }>();
    await app.close();
    const { enum: codes } = served.components.schemas.Error.properties.error.properties.code;
    expect(codes).toEqual(Object.keys(errorTable));
  });
});

describe('the page', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

  test('is what a browser gets at /, and where the listings lead it; others get JSON', async () => {
    const { url } = await startServer({ artifacts: [sluice] });
    const page = await send(url, '/', { headers: { accept: browser } });
    expect([page.status, page.headers['content-type'], page.headers.vary]).toEqual([
      200,
      'text/html; charset=utf-8',
      'accept',
    ]);
    expect((await send(url, '/', { headers: { accept: '*/*' } })).status).toBe(404);
    for (const [at, location] of [
      ['/plugins', '/#plugins'],
      ['/plugins/sluice', '/#plugin-sluice'],
    ] as const) {
      const led = await send(url, at, { headers: { accept: browser } });
      expect([led.status, led.headers.location, led.headers.vary]).toEqual([307, location, 'accept']);
      for (const accept of ['*/*', 'application/json', undefined]) {
        const answer = await send(url, at, { headers: accept === undefined ? {} : { accept } });
        expect(answer.headers['content-type']).toContain('application/json');
        expect(answer.headers.vary).toBe('accept');
      }
    }
    expect((await send(url, '/plugins/slice', { headers: { accept: browser } })).status).toBe(404);
  });

  test('has files of its own alone, 60 KB together, that a cache asks for again', async () => {
    const { url } = await startServer({ artifacts: [sluice] });
    const page = await send(url, '/', { headers: { accept: browser } });
    const text = page.body.toString();
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'; /);
    expect(page.headers['cache-control']).toBe('no-cache');
    // No text of the page is a style or a script, and nothing in it leads away.
    expect(text).not.toMatch(/<style|<script(?![^>]* src=)|\sstyle=|\son\w+=|https?:/i);
    const names = [...text.matchAll(/(?:src|href)="\/page\/([^"]+)"/g)].map(([, name = '']) => name);
    let bytes = page.body.length;
    for (const name of new Set(names)) {
      const asset = await send(url, `/page/${name}`);
      expect([asset.status, asset.headers['cache-control']]).toEqual([200, 'no-cache']);
      const again = await send(url, `/page/${name}`, { headers: { 'if-none-match': String(asset.headers.etag) } });
      expect(again.status).toBe(304);
      names.push(...[...asset.body.toString().matchAll(/from '\.\/([\w.]+)'/g)].map(([, each = '']) => each));
    }
    for (const name of new Set(names)) bytes += (await send(url, `/page/${name}`)).body.length;
    expect(new Set(names).size).toBeGreaterThan(8);
    expect(bytes).toBeLessThanOrEqual(60_000);
    for (const name of ['..%2Froutes.ts', 'nothing.js', '%2e%2e']) {
      expect((await send(url, `/page/${name}`)).status).toBe(404);
    }
  });
});
