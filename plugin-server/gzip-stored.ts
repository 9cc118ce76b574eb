// gzip that stores what is in it: its bytes are the same at every time, and with every version of Node and of its zlib.
import { crc32 } from 'node:zlib';

/** The longest part of data that deflate stores as it is (RFC 1951 §3.2.4). */
const storedLimit = 65_535;
const storedHead = 5;
/** RFC 1952: magic, deflate, no flags, no time, no hint, of an unknown system. */
const gzipHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
const gzipTail = 8;
/** Bytes of what `gzipStored` makes of so many. */
export function gzipStoredSize(total: number): number {
  return gzipHead.length + Math.ceil(total / storedLimit) * storedHead + total + gzipTail;
}

/**
 * Puts bytes into gzip without compressing them. The last block of data is marked as the last one: func-e takes the digest
 * of what its readers have read, and a reader of tar asks for nothing behind the end of the tar.
 * @param total bytes that `parts` have together
 */
export async function* gzipStored(
  parts: AsyncIterable<Buffer> | Iterable<Buffer>,
  total: number,
): AsyncGenerator<Buffer> {
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
