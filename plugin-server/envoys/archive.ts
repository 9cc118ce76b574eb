import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { pack } from 'tar-stream';

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

/** The longest part of data that deflate stores as it is (RFC 1951 §3.2.4). */
const storedLimit = 65_535;
const storedHead = 5;
/** RFC 1952: magic, deflate, no flags, no time, no hint, of an unknown system. */
const gzipHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
const gzipTail = 8;
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
    const tar = tarSize(program);
    const size = gzipHead.length + Math.ceil(tar / storedLimit) * storedHead + tar + gzipTail;
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

/**
 * Puts bytes into gzip without compressing them. The last block of data is marked as the last one: func-e takes the digest
 * of what its readers have read, and a reader of tar asks for nothing behind the end of the tar.
 * @param total bytes that `parts` have together
 */
async function* gzipStored(parts: AsyncIterable<Buffer>, total: number): AsyncGenerator<Buffer> {
  yield gzipHead;
  let left = total;
  let checksum = 0;
  let held: Buffer = Buffer.alloc(0);
  for await (const part of parts) {
    held = held.length === 0 ? part : Buffer.concat([held, part]);
    while (held.length >= storedLimit || (held.length === left && left > 0)) {
      const block = held.subarray(0, storedLimit);
      held = held.subarray(block.length);
      left -= block.length;
      checksum = crc32(block, checksum);
      yield storedBlockHead(block.length, left === 0);
      yield block;
    }
  }
  const tail = Buffer.alloc(gzipTail);
  tail.writeUInt32LE(checksum, 0);
  tail.writeUInt32LE(total % 2 ** 32, 4);
  yield tail;
}

function storedBlockHead(length: number, isLast: boolean): Buffer {
  const head = Buffer.alloc(storedHead);
  head.writeUInt8(Number(isLast), 0);
  head.writeUInt16LE(length, 1);
  head.writeUInt16LE(length ^ 0xffff, 3);
  return head;
}
