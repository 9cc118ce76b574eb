// `sluice import`: what is carried in on a disk, and what is refused of it. Nothing is half imported.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { filesOfArchive } from '../../plugin-server/oci/image-files.ts';
import { moduleWith } from './modules.ts';
import { publishing, startServer, token } from './support.ts';

const module = moduleWith('key-auth');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

type Files = Record<string, Buffer | string>;

function folder(files: Files = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-import-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, dirname(name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

async function tarOf(
  entries: readonly (readonly [Partial<Header> & { name: string }, Buffer | string])[],
): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const tarred = (files: Files): Promise<Buffer> =>
  tarOf(Object.entries(files).map(([name, content]) => [{ name }, content]));

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const layers = {
  'tar and gzip': async () => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    bytes: gzipSync(await tarred({ 'plugin.wasm': module })),
  }),
  'a plain tar': async () => ({
    mediaType: 'application/vnd.oci.image.layer.v1.tar',
    bytes: await tarred({ 'plugin.wasm': module }),
  }),
  'the module itself': () =>
    Promise.resolve({ mediaType: 'application/vnd.module.wasm.content.layer.v1+wasm', bytes: module }),
  'the module as application/wasm': () => Promise.resolve({ mediaType: 'application/wasm', bytes: module }),
};

/** An OCI layout with one image. @param reference its annotation; by default its tag */
function layout(layer: { mediaType: string; bytes: Buffer }, reference = '1.0.0'): Files {
  const files: Files = { 'oci-layout': '{"imageLayoutVersion":"1.0.0"}' };
  const add = (bytes: Buffer, mediaType: string): object => {
    files[`blobs/sha256/${sha256(bytes)}`] = bytes;
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const manifest = {
    schemaVersion: 2,
    config: add(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json'),
    layers: [add(layer.bytes, layer.mediaType)],
  };
  const at = add(Buffer.from(JSON.stringify(manifest)), manifestType);
  const annotations = { 'org.opencontainers.image.ref.name': reference };
  files['index.json'] = JSON.stringify({ schemaVersion: 2, manifests: [{ ...at, annotations }] });
  return files;
}

async function saved(tags: readonly string[]): Promise<Files> {
  const layer = await tarred({ 'plugin.wasm': module });
  const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] } }));
  const name = `${sha256(config)}.json`;
  return {
    [name]: config,
    'a/layer.tar': layer,
    'manifest.json': JSON.stringify([{ Config: name, RepoTags: tags, Layers: ['a/layer.tar'] }]),
  };
}

interface Told {
  readonly code: number;
  readonly events: readonly Record<string, unknown>[];
}

async function sluiceImport(...args: string[]): Promise<Told> {
  const lines: string[] = [];
  const io = {
    out: (text: string) => lines.push(text),
    err: () => 0,
    env: { SLUICE_PUBLISH_TOKEN: token },
    isTerminal: false,
  };
  const code = await main(['import', '--json', ...args], io as never);
  const events = lines
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { code, events };
}

/** Imports a source into an empty directory, and says what is there then. */
async function imported(source: string, ...more: string[]): Promise<Told & { there: string[] }> {
  const data = folder();
  const told = await sluiceImport(source, '--into', data, ...more);
  const entries = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const there = entries.map(({ parentPath, name }) => sha256(readFileSync(join(parentPath, name))));
  return { ...told, there };
}

const expected = (name: string, version = '1.0.0'): object => ({
  event: 'imported',
  ...{ name, version, sha256: sha256(module), size: module.length, created: true },
});

describe('imports', () => {
  test.each<[string, () => Buffer | Promise<Buffer>]>([
    ['key-auth-1.0.0.wasm', () => module],
    ['key-auth-1.0.0.wasm.gz', () => gzipSync(module)],
    ['key-auth-1.0.0.tar', () => tarred({ 'README.md': 'a plugin', 'out/plugin.wasm': module })],
    ['key-auth-1.0.0.tar.gz', async () => gzipSync(await tarred({ 'plugin.wasm': module }))],
  ])('a module that is in no image: %s', async (name, content) => {
    const { code, events, there } = await imported(join(folder({ [name]: await content() }), name));
    expect({ code, events }).toEqual({ code: 0, events: [expect.objectContaining(expected('key-auth'))] });
    expect(there).toContain(sha256(module));
  });

  test('no tar with two modules in it, nor with none', async () => {
    for (const files of [{ 'a.wasm': module, 'b.wasm': module }, { 'README.md': 'a plugin' }] as Files[]) {
      const { code, events } = await imported(join(folder({ 'a-1.0.0.tar': await tarred(files) }), 'a-1.0.0.tar'));
      expect(code).toBe(1);
      expect(events[0]?.['message']).toMatch(/it is a tar with [02] files \*\.wasm in it; one is needed/);
    }
  });

  test.each(Object.entries(layers))(
    'an OCI layout whose layer is %s, as a folder and as an archive',
    async (_, layer) => {
      const files = layout(await layer(), 'registry.example.com:5000/plugins/key-auth:1.0.0');
      for (const bytes of [await tarred(files), gzipSync(await tarred(files))]) {
        const source = join(folder({ 'image.tar': bytes }), 'image.tar');
        const { code, events, there } = await imported(source);
        expect({ code, events }).toEqual({ code: 0, events: [expect.objectContaining(expected('key-auth'))] });
        expect(there).toContain(sha256(module));
      }
      expect((await imported(folder(files))).events).toEqual([expect.objectContaining(expected('key-auth'))]);
    },
  );

  test('what docker save wrote, with each of its tags', async () => {
    const files = await saved(['example.com/key-auth:1.0.0', 'example.com/key-auth:v1.0.1']);
    const source = join(folder({ 'saved.tar.gz': gzipSync(await tarred(files)) }), 'saved.tar.gz');
    expect((await imported(source)).events).toEqual([
      expect.objectContaining(expected('key-auth')),
      expect.objectContaining(expected('key-auth', '1.0.1')),
    ]);
  });

  test('a module by the name of its file, or by the names that are given', async () => {
    const source = join(folder({ 'key-auth-1.0.0.wasm': module }), 'key-auth-1.0.0.wasm');
    expect((await imported(source)).events).toEqual([expect.objectContaining(expected('key-auth'))]);
    const given = await imported(source, '--name', 'other', '--version', '2.0.0-rc.1+b');
    expect(given.events).toEqual([expect.objectContaining(expected('other', '2.0.0-rc.1+b'))]);
  });

  test("Higress' list, with what lies beside it", async () => {
    const source = folder({
      'plugins.properties':
        '# plugins\nkey-auth=oci://registry.example.com/plugins/key-auth:1.0.0\nmine = oci://registry.example.com/x/all-in-one:2.0.0\n',
      'key-auth.tar': await tarred(layout(await layers['tar and gzip']())),
      'mine-2.0.0.wasm': module,
    });
    const events = [expected('key-auth'), expected('mine', '2.0.0')];
    expect((await imported(source)).events).toEqual(events.map((event) => expect.objectContaining(event) as object));
  });

  test('to a server that runs, and again without a change', async () => {
    const { url } = await startServer({ artifacts: [], publishing });
    const source = join(folder({ 'key-auth-1.0.0.wasm': module }), 'key-auth-1.0.0.wasm');
    expect((await sluiceImport(source, '--to', url)).events).toEqual([expect.objectContaining(expected('key-auth'))]);
    expect((await sluiceImport(source, '--to', url)).events).toEqual([expect.objectContaining({ created: false })]);
    const served = await fetch(`${url}/plugins/key-auth/1.0.0/plugin.wasm`);
    expect(sha256(Buffer.from(await served.arrayBuffer()))).toBe(sha256(module));
  });

  test('an image of several platforms once', async () => {
    const files = layout(await layers['a plain tar'](), 'key-auth:1.0.0');
    const { manifests } = JSON.parse(String(files['index.json'])) as { manifests: object[] };
    const index = JSON.stringify({ manifests: [...manifests, ...manifests] });
    expect((await imported(folder({ ...files, 'index.json': index }))).events).toHaveLength(1);
  });
});

describe('refuses, and imports nothing', () => {
  const refusal = async (source: string, ...more: string[]): Promise<string> => {
    const { code, events, there } = await imported(source, ...more);
    expect({ code, there }).toEqual({ code: 1, there: [] });
    return String(events.at(-1)?.['message']);
  };
  const archive = async (bytes: Buffer | Promise<Buffer>): Promise<string> =>
    join(folder({ 'image.tar': await bytes }), 'image.tar');

  test.each<[string, Partial<Header> & { name: string }, string]>([
    ['a symbolic link', { name: 'a', type: 'symlink', linkname: 'b' }, 'it has "a", which is a symlink and no file'],
    ['a hard link', { name: 'a', type: 'link', linkname: 'b' }, 'it has "a", which is a link and no file'],
    ['a device', { name: 'a', type: 'character-device' }, 'it has "a", which is a character-device and no file'],
    ['an absolute name', { name: '/a' }, 'it has a file "/a", whose name leads out of it'],
    ['a name that leads out', { name: 'b/../../a' }, 'it has a file "b/../../a", whose name leads out of it'],
  ])('%s', async (_, header, reason) => {
    const files = layout(await layers['a plain tar']());
    const entries = Object.entries(files).map(([name, content]) => [{ name }, content] as const);
    expect(await refusal(await archive(tarOf([...entries, [header, '']])))).toContain(reason);
  });

  test('two files of one name', async () => {
    const twice = tarOf([
      [{ name: 'index.json' }, '{"manifests":[]}'],
      [{ name: './index.json' }, '{"manifests":[]}'],
    ]);
    expect(await refusal(await archive(twice))).toContain('it has two files "index.json"');
  });

  test.each([0.2, 0.5, 0.9])('an archive that ends after %d of it', async (part) => {
    const files = layout(await layers['tar and gzip']());
    for (const whole of [await tarred(files), gzipSync(await tarred(files))]) {
      expect(await refusal(await archive(whole.subarray(0, Math.floor(whole.length * part))))).toMatch(
        /it is no whole tar|cannot be unpacked|is missing|no image/,
      );
    }
  });

  test('a layer that has another digest', async () => {
    const files = layout(await layers['a plain tar']());
    const [name = ''] = Object.keys(files).filter((path) => Buffer.from(files[path] ?? '').includes('plugin.wasm'));
    const changed = Buffer.from(files[name] ?? '');
    changed[600] = (changed[600] ?? 0) ^ 1;
    expect(await refusal(folder({ ...files, [name]: changed }))).toContain(`the bytes of ${name} have another digest`);
    expect(await refusal(folder({ ...files, [name]: 'x' }))).toContain('has 1 bytes, and');
    const { [name]: gone, ...others } = files;
    expect(gone).toBeDefined();
    expect(await refusal(folder(others))).toContain(`${name} is missing`);
  });

  test('a layer of docker save that has another digest', async () => {
    const files = await saved(['key-auth:1.0.0']);
    expect(await refusal(folder({ ...files, 'a/layer.tar': 'x' }))).toContain(
      'the bytes of a/layer.tar have another digest',
    );
  });

  test.each<[string, Files, string]>([
    ['no image', { 'x.txt': 'x' }, 'neither index.json nor manifest.json'],
    ['an index that is no JSON', { 'index.json': '{' }, 'index.json is no JSON'],
    [
      'an index of another form',
      { 'index.json': '{"manifests":{}}' },
      'index.json is not what its name says: manifests',
    ],
    ['an empty index', { 'index.json': '{"manifests":[]}' }, 'it has no image'],
    ['a list with a line of another form', { 'plugins.properties': 'key-auth' }, 'expected NAME=oci://HOST/PATH:TAG'],
    ['a list without its archives', { 'plugins.properties': 'a=oci://b/c:1.0.0' }, 'nothing for a beside it'],
  ])('%s', async (_, files, reason) => {
    expect(await refusal(folder(files))).toContain(reason);
  });

  test('an image without a module', async () => {
    const files = layout({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      bytes: await tarred({ a: 'b' }),
    });
    expect(await refusal(folder(files), '--name', 'a')).toContain('none of its layers has a module');
  });

  test('nothing, where the directory is none: the environment is at fault, and not the source', async () => {
    const source = join(folder({ 'a-1.0.0.wasm': module }), 'a-1.0.0.wasm');
    const { code, events } = await sluiceImport(source, '--into', join(folder(), 'gone'));
    expect({ code, events }).toEqual({ code: 3, events: [expect.objectContaining({ event: 'error' })] });
    expect((await sluiceImport(source, '--to', 'http://127.0.0.1:9', '--token-file', source + '.none')).code).toBe(3);
  });

  test('what has no version, and all that is with it', async () => {
    const source = folder({ 'key-auth.wasm': module, 'good-1.0.0.wasm': module });
    const data = folder();
    const paths = ['good-1.0.0.wasm', 'key-auth.wasm'].map((name) => join(source, name));
    const { code, events } = await sluiceImport(...paths, '--into', data);
    expect(code).toBe(1);
    expect(String(events.at(-1)?.['message'])).toContain('it does not say which version it is; use --version');
    expect(readdirSync(data)).toEqual([]);
  });

  test('two modules for one version', async () => {
    const source = folder({ 'a/x-1.0.0.wasm': module, 'b/x-1.0.0.wasm': moduleWith('other') });
    const { code, events } = await sluiceImport(
      join(source, 'a/x-1.0.0.wasm'),
      join(source, 'b/x-1.0.0.wasm'),
      '--into',
      folder(),
    );
    expect([code, String(events.at(-1)?.['message'])]).toEqual([
      1,
      expect.stringContaining('is there with other bytes'),
    ]);
  });

  test('an archive that unpacks to more than is allowed, before it is unpacked', async () => {
    const limits = { bytes: 10_000, files: 3 };
    await expect(filesOfArchive(gzipSync(Buffer.alloc(1 << 20)), limits)).rejects.toThrow('more than 10000 bytes');
    await expect(filesOfArchive(await tarred({ a: Buffer.alloc(20_000) }), limits)).rejects.toThrow('10000 bytes');
    await expect(filesOfArchive(await tarred({ a: '', b: '', c: '', d: '' }), limits)).rejects.toThrow('3 files');
  });

  test('wrong use', async () => {
    expect((await sluiceImport('x.wasm')).code).toBe(2);
    expect((await sluiceImport('--into', folder())).code).toBe(2);
    expect((await sluiceImport('x.wasm', '--into', folder(), '--to', 'http://127.0.0.1:1')).code).toBe(2);
  });
});

test('the archive that this server gives out is one that it takes', async () => {
  const { url } = await startServer({ artifacts: [], publishing });
  await fetch(`${url}/plugins/key-auth/1.0.0/plugin.wasm`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: new Uint8Array(module),
  });
  const bytes = async (path: string): Promise<Buffer> => Buffer.from(await (await fetch(url + path)).arrayBuffer());
  const manifest = await bytes('/v2/key-auth/manifests/1.0.0');
  const { config, layers: parts } = JSON.parse(manifest.toString()) as Record<'config', { digest: string }> & {
    layers: { digest: string }[];
  };
  const files: Files = {
    'index.json': JSON.stringify({
      manifests: [{ mediaType: manifestType, digest: `sha256:${sha256(manifest)}`, size: manifest.length }],
    }),
    [`blobs/sha256/${sha256(manifest)}`]: manifest,
  };
  for (const { digest } of [config, ...parts]) {
    files[`blobs/${digest.replace(':', '/')}`] = await bytes(`/v2/key-auth/blobs/${digest}`);
  }
  expect((await imported(folder(files))).events).toEqual([expect.objectContaining(expected('key-auth'))]);
  expect(readFileSync(join(folder(files), 'index.json'), 'utf8')).toContain('manifests');
});
