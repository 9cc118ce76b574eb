import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pack } from 'tar-stream';
import { gzipStored, gzipStoredSize } from '../gzip-stored.ts';

/** An Envoy that this server can give out. `os` and `arch` are Node's names. */
export interface HeldEnvoy {
  /** `1.40.0` */
  readonly version: string;
  readonly os: string;
  readonly arch: string;
  /** Absolute path of the program. */
  readonly file: string;
}

/** What a client has to know of an archive before it fetches it. */
interface ArchiveFacts {
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
  /** When the program came here, for listings of func-e. */
  readonly date: Date;
}

const tarBlock = 512;

/**
 * An Envoy as the tar.gz that func-e takes: `envoy-v1.40.0-linux-amd64/bin/envoy`. It is made of the program on disk
 * while it is sent, and neither compressed nor held in memory: 100 MB would be both. Its bytes are always the same.
 */
export class EnvoyArchive {
  readonly envoy: HeldEnvoy;
  /** `envoy-v1.40.0-linux-amd64.tar.gz` */
  readonly name: string;
  #facts: Promise<ArchiveFacts> | undefined;

  constructor(envoy: HeldEnvoy) {
    this.envoy = envoy;
    this.name = `${folderOf(envoy)}.tar.gz`;
  }

  /** Reads the program through once, when it is first asked. Rejects where it cannot be read. */
  facts(): Promise<ArchiveFacts> {
    return (this.#facts ??= this.#measure().catch((error: unknown) => {
      this.#facts = undefined;
      throw error;
    }));
  }

  /** The bytes of the archive. */
  async *bytes(): AsyncGenerator<Buffer> {
    const { size } = await stat(this.envoy.file);
    yield* gzipStored(tarOf(this.envoy, size), tarSize(size));
  }

  async #measure(): Promise<ArchiveFacts> {
    const { size: program, mtime } = await stat(this.envoy.file);
    const digest = createHash('sha256');
    for await (const part of this.bytes()) digest.update(part);
    const size = gzipStoredSize(tarSize(program));
    return { size, sha256: digest.digest('hex'), date: mtime };
  }
}

/** Go's names, which Envoy's releases have. */
const goArch: Readonly<Record<string, string>> = { x64: 'amd64' };

/** `linux/amd64` */
export function platformOf({ os, arch }: HeldEnvoy): string {
  return `${os}/${goArch[arch] ?? arch}`;
}

function folderOf(envoy: HeldEnvoy): string {
  return `envoy-v${envoy.version}-${platformOf(envoy).replace('/', '-')}`;
}

function tarSize(program: number): number {
  return tarBlock + Math.ceil(program / tarBlock) * tarBlock + 2 * tarBlock;
}

/** A tar with the one program: its header, its bytes, and zeros up to the end. */
async function* tarOf(envoy: HeldEnvoy, size: number): AsyncGenerator<Buffer> {
  yield await tarHeader(`${folderOf(envoy)}/bin/envoy`, size);
  let read = 0;
  for await (const part of createReadStream(envoy.file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    read += part.length;
    yield part;
  }
  if (read !== size) throw new Error(`${envoy.file} changed while it was read`);
  yield Buffer.alloc(tarSize(size) - tarBlock - size);
}

async function tarHeader(name: string, size: number): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name, size, mode: 0o755, mtime: new Date(0), uid: 0, gid: 0 });
  for await (const part of archive) return part as Buffer; // the first block; its content comes from elsewhere
  throw new Error('a tar begins with a header');
}
