import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { pack } from 'tar-stream';
import type { Artifact } from '../artifact.ts';
import { gzipStored } from '../gzip-stored.ts';
import type { Content } from '../http/send.ts';

/** The forms beside the plain module that Istio's agent unwraps, by file name. */
export const formTypes = {
  'plugin.wasm.gz': 'application/gzip',
  'plugin.tar': 'application/x-tar',
  'plugin.tar.gz': 'application/gzip',
} as const;

export type FormName = keyof typeof formTypes;

/** The layer of an image: `plugin.tar` in a gzip that stores it. Its digest is the same with every version of Node. */
export const layerForm = 'layer.tar.gz';

/** Bytes of forms that are kept; they can be made again from the modules. */
const cacheLimit = 256 * 1024 * 1024;

/**
 * The modules in other forms, made when they are first asked for. The bytes are the same at every time and on every
 * replica, where they are compressed on every one of a version of Node: no times, no owners, no names but `plugin.wasm`.
 */
export class Forms {
  readonly #made = new LRUCache<string, Content>({
    maxSize: cacheLimit,
    sizeCalculation: ({ bytes }) => bytes.length,
  });
  /** Those under way: who asks meanwhile waits for the same. */
  readonly #making = new Map<string, Promise<Content>>();

  async get(artifact: Artifact, name: FormName | typeof layerForm): Promise<Content> {
    const key = `${artifact.sha256} ${name}`;
    const made = this.#made.get(key) ?? this.#making.get(key);
    if (made !== undefined) return made;
    const making = make(artifact.bytes, name).finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    const content = await making;
    this.#made.set(key, content);
    return content;
  }
}

async function make(module: Buffer, name: FormName | typeof layerForm): Promise<Content> {
  const bytes = await bytesOf(module, name);
  const digest = createHash('sha256').update(bytes);
  const hex = digest.copy().digest('hex');
  const reprDigest = `sha-256=:${digest.digest('base64')}:`;
  return { bytes, etag: `"${hex}"`, reprDigest, type: name === layerForm ? 'application/gzip' : formTypes[name] };
}

async function bytesOf(module: Buffer, name: FormName | typeof layerForm): Promise<Buffer> {
  if (name === 'plugin.wasm.gz') return gzipOf(module);
  const tar = await tarOf(module);
  switch (name) {
    case 'plugin.tar':
      return tar;
    case 'plugin.tar.gz':
      return gzipOf(tar);
    case layerForm:
      return collected(gzipStored([tar], tar.length));
  }
}

async function gzipOf(bytes: Buffer): Promise<Buffer> {
  const packed = await promisify(gzip)(bytes);
  packed[9] = 255; // RFC 1952: the system that packed it; zlib writes its own
  return packed;
}

async function tarOf(module: Buffer): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: 'plugin.wasm', mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, module);
  archive.finalize();
  return collected(archive as AsyncIterable<Buffer>);
}

async function collected(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of parts) chunks.push(chunk);
  return Buffer.concat(chunks);
}
