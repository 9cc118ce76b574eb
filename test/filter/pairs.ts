/** Headers in order, as a host has them: lower-case names, a name may repeat. */
export type Headers = [name: string, value: string][];

/** The ABI's form of a header map: count, the sizes of names and values, then the texts, each with a NUL behind it. */
export function encodePairs(headers: Headers): Buffer {
  if (headers.length === 0) return Buffer.alloc(0); // not a count of zero: the host hands nothing over
  const texts = headers.flat().map((text) => Buffer.from(text, 'latin1'));
  const head = Buffer.alloc(4 + 4 * texts.length);
  head.writeUInt32LE(headers.length);
  for (const [index, text] of texts.entries()) head.writeUInt32LE(text.length, 4 + 4 * index);
  return Buffer.concat([head, ...texts.flatMap((text) => [text, NUL])]);
}

/** @throws where Envoy would read no pairs at all and say nothing: what does not fill its buffer exactly */
export function decodePairs(bytes: Buffer): Headers {
  const count = bytes.length < 4 ? Number.NaN : bytes.readUInt32LE();
  let at = 4 + 8 * count;
  if (!(at <= bytes.length) || count > MOST_PAIRS) throw new Error('header pairs without their sizes, or too many');
  const headers: Headers = [];
  for (let index = 0; index < count; index++) {
    const [name, afterName] = textAt(bytes, at, bytes.readUInt32LE(4 + 8 * index));
    const [value, afterValue] = textAt(bytes, afterName, bytes.readUInt32LE(8 + 8 * index));
    at = afterValue;
    if (!/^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) throw new Error(`${JSON.stringify(name)} is no header name`);
    if (/[\0\r\n]/.test(value)) throw new Error(`the header ${name} would be split: ${JSON.stringify(value)}`);
    headers.push([name, value]);
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes behind the last header pair`);
  return headers;
}

export function valueOf(headers: Headers, name: string): string | undefined {
  return headers.find(([found]) => found === name)?.[1];
}

const NUL = Buffer.alloc(1);
/** Envoy takes no more. */
const MOST_PAIRS = 1024;

function textAt(bytes: Buffer, from: number, length: number): [text: string, next: number] {
  const to = from + length;
  if (to >= bytes.length || bytes[to] !== 0) throw new Error('a header pair that is not where its sizes say');
  return [bytes.toString('latin1', from, to), to + 1];
}
