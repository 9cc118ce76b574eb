// The plugin server as a registry: what the OCI distribution specification says, and what real clients make of it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import { unwrap } from '../../plugin-server/publish/unwrap.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';
import { startServer } from './support.ts';

const module = moduleWith('key-auth');
const artifacts = ['1.0.0', '1.1.0', '2.0.0-rc.1', '1.0.0+build.5'].map((version) =>
  loadArtifact('key-auth', version, module),
);
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}
interface Manifest extends Descriptor {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const start = async (): Promise<string> => (await startServer({ artifacts })).url;

async function pull(
  url: string,
  repository: string,
  reference: string,
): Promise<{ manifest: Manifest; digest: string }> {
  const answer = await send(url, `/v2/${repository}/manifests/${reference}`);
  expect([answer.status, answer.headers['content-type']]).toEqual([200, manifestType]);
  const digest = digestOf(answer.body);
  expect(answer.headers['docker-content-digest']).toBe(digest);
  expect(answer.headers['content-length']).toBe(String(answer.body.length));
  return { manifest: JSON.parse(answer.body.toString()) as Manifest, digest };
}

test('says that it is a registry', async () => {
  const url = await start();
  for (const path of ['/v2', '/v2/']) {
    const answer = await send(url, path);
    expect([answer.status, answer.headers['docker-distribution-api-version']]).toEqual([200, 'registry/2.0']);
  }
});

test('an image is pulled by its parts, each with the digest that it is asked for by', async () => {
  const url = await start();
  const { manifest } = await pull(url, 'key-auth', '1.0.0');
  expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual(['application/vnd.oci.image.layer.v1.tar+gzip']);
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    const blob = await send(url, `/v2/key-auth/blobs/${digest}`);
    expect([blob.status, blob.body.length, digestOf(blob.body)]).toEqual([200, size, digest]);
    const head = await send(url, `/v2/key-auth/blobs/${digest}`, { method: 'HEAD' });
    expect([head.status, head.headers['content-length']]).toEqual([200, String(size)]);
    const part = await send(url, `/v2/key-auth/blobs/${digest}`, { headers: { range: 'bytes=10-' } });
    expect([part.status, part.body.equals(blob.body.subarray(10))]).toEqual([206, true]);
  }
  const layer = await send(url, `/v2/key-auth/blobs/${manifest.layers[0]?.digest ?? ''}`);
  expect((await unwrap(layer.body, 1 << 20, 'the layer')).bytes.equals(module)).toBe(true);
});

test.each([
  ['latest', '1.1.0'],
  ['1', '1.1.0'],
  ['1.0', '1.0.0+build.5'],
  ['1.0.0_build.5', '1.0.0+build.5'],
  ['2.0.0-rc.1', '2.0.0-rc.1'],
])('the tag %s is version %s', async (tag, version) => {
  const url = await start();
  const { manifest } = await pull(url, 'key-auth', tag);
  expect(manifest).toMatchObject({ annotations: { 'org.opencontainers.image.version': version } });
});

test('a manifest is the same by its digest, under any repository, and on another server', async () => {
  const url = await start();
  const { digest } = await pull(url, 'key-auth', '1.0.0');
  expect((await pull(url, 'higress/plugins/key-auth', '1.0.0')).digest).toBe(digest);
  const other = await start();
  expect((await pull(other, 'key-auth', digest)).digest).toBe(digest);
  expect((await send(other, `/v2/key-auth/manifests/${digest}`, { method: 'HEAD' })).status).toBe(200);
});

test('the digest of an image is always the same: what pins it, or has signed it, outlives an upgrade of Node', async () => {
  const { url } = await startServer({ artifacts: [loadArtifact('pinned', '1.0.0', moduleWith('x'.repeat(100_000)))] });
  const { manifest, digest } = await pull(url, 'pinned', '1.0.0');
  expect(digest).toBe('sha256:bd1017e2d06e8f83cae6244954d684be0b9c5e05e408fc6b8d2846a3357abb9c');
  const [layer] = manifest.layers;
  const { body } = await send(url, `/v2/pinned/blobs/${layer?.digest ?? ''}`);
  // Not what a zlib made of it: it is stored.
  expect(body.length).toBeGreaterThan(100_000);
  expect(gunzipSync(body).includes('x'.repeat(100_000))).toBe(true);
});

test('tags are listed, by pages where that is asked for', async () => {
  const url = await start();
  const tags = ['2.0.0-rc.1', '1.1.0', '1.0.0_build.5', '1.0.0'];
  expect(JSON.parse((await send(url, '/v2/key-auth/tags/list')).body.toString())).toEqual({ name: 'key-auth', tags });
  const page = await send(url, '/v2/key-auth/tags/list?n=3');
  expect(JSON.parse(page.body.toString())).toEqual({ name: 'key-auth', tags: tags.slice(0, 3) });
  expect(page.headers['link']).toBe('</v2/key-auth/tags/list?n=3&last=1.0.0_build.5>; rel="next"');
  const rest = await send(url, '/v2/key-auth/tags/list?n=3&last=1.0.0_build.5');
  expect(JSON.parse(rest.body.toString())).toEqual({ name: 'key-auth', tags: tags.slice(3) });
  expect(rest.headers['link']).toBeUndefined();
});

const absent = `sha256:${'0'.repeat(64)}`;
test.each([
  ['/v2/other/manifests/1.0.0', 'NAME_UNKNOWN', 'unknown_plugin'],
  ['/v2/key-auth/manifests/3.0.0', 'MANIFEST_UNKNOWN', 'unknown_version'],
  ['/v2/key-auth/manifests/3', 'MANIFEST_UNKNOWN', 'no_match'],
  ['/v2/key-auth/manifests/v1-alpine', 'MANIFEST_UNKNOWN', 'invalid_version'],
  [`/v2/key-auth/manifests/${absent}`, 'BLOB_UNKNOWN', 'unknown_digest'],
  [`/v2/key-auth/blobs/${absent}`, 'BLOB_UNKNOWN', 'unknown_digest'],
  ['/v2/key-auth/blobs/sha512:00', 'BLOB_UNKNOWN', 'unknown_digest'],
  [`/v2/key-auth/referrers/${absent}`, 'NOT_FOUND', 'not_in_registry'],
  ['/v2/_catalog', 'NOT_FOUND', 'not_in_registry'],
])('%s is %s, in the form that clients show', async (path, code, detail) => {
  const answer = await send(await start(), path);
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code, detail }] });
});

test('nothing can be pushed', async () => {
  const url = await start();
  const answer = await send(url, '/v2/key-auth/blobs/uploads/', { method: 'POST' });
  expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
  expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] });
});

const hasSkopeo = await promisify(execFile)('skopeo', ['--version']).then(
  () => true,
  () => false,
);
const describeWithSkopeo = process.env['SLUICE_REQUIRE_SKOPEO'] === '1' || hasSkopeo ? describe : describe.skip;

describeWithSkopeo('skopeo', () => {
  const skopeo = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('skopeo', args, { encoding: 'utf8' })).stdout;

  test('copies an image into a layout, keeps its digest, and lists tags', async () => {
    const url = await start();
    const host = new URL(url).host;
    const folder = mkdtempSync(join(tmpdir(), 'sluice-oci-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const image = `docker://${host}/higress/key-auth:1.0.0`;
    await skopeo('copy', '--src-tls-verify=false', image, `oci:${folder}:1.0.0`);
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
    expect(index.manifests[0]?.digest).toBe((await pull(url, 'key-auth', '1.0.0')).digest);
    const shown = JSON.parse(await skopeo('inspect', '--tls-verify=false', image)) as Record<string, unknown>;
    expect(shown).toMatchObject({ Os: 'linux', RepoTags: ['2.0.0-rc.1', '1.1.0', '1.0.0_build.5', '1.0.0'] });
  });
});
