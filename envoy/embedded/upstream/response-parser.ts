import { HeaderMap } from '../header-map.ts';
import { isField } from '../http1-headers.ts';

/** What is read. The parser can be dropped in any of these calls. */
export interface ResponseHandler {
  onHead(head: ResponseHead): void;
  /** A part of the body, in the bytes that were read. */
  onBody(part: Uint8Array): void;
  /** The last call: nothing is wrong with the answer. */
  onEnd(trailers: HeaderMap): void;
}

export interface ResponseHead {
  readonly status: number;
  /** `:status` first. */
  readonly headers: HeaderMap;
  /** Nothing follows the head. */
  readonly isEmpty: boolean;
}

/** What is no answer of HTTP/1.x. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

type State = 'head' | 'length' | 'close' | 'size' | 'chunk' | 'chunk-end' | 'trailers' | 'done';

/** Envoy's `max_headers_count` for responses. */
const mostHeaders = 100;
/** Of the line that begins a chunk, in bytes: a size, and extensions that nobody reads. */
const longestSizeLine = 16 << 10;
/** How much more than its names and values a head may take in bytes: what stands around them, for as many as may be. */
const around = 4 * mostHeaders + 1024;

const lineEnd = Buffer.from('\r\n');
const statusLine = /^HTTP\/(0\.9|1\.[01]|2\.0) (\d{3})(?: [^\r\n]*)?$/;
const begunSize = /^[0-9a-f]*(?:[0-9a-f]|[0-9a-f];[^\r\n]*)\r?$/i;
/** RFC 9112 §7.1.1, with names and values that may be left out; each step takes a character that no other could take. */
const sizeLine =
  /^([0-9a-f]+)(?:;(?!;|$)[\w!#$%&'*+.^`|~-]*(?:=(?:[\w!#$%&'*+.^`|~-]|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*")*)?)*$/i;

/**
 * Reads one answer of HTTP/1.x as strictly as Node's own parser: lines end with CR LF, a header is one line, and a length is
 * told once. What is informational (1xx) is passed over. (RFC 9112)
 */
export class ResponseParser {
  readonly #handler: ResponseHandler;
  readonly #method: string;
  /** Of names and values of the head, and of the trailers; bytes. */
  readonly #maxHeaderBytes: number;
  #state: State = 'head';
  /** Of a line or a head whose end has not come. */
  #begun: Buffer | undefined;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #rest = 0;
  #keepsAlive = false;
  /** An informational answer has said that the connection ends with it. */
  #isLast = false;
  readonly #trailers = new HeaderMap();
  #dropped = false;

  constructor(handler: ResponseHandler, method: string, maxHeaderBytes: number) {
    this.#handler = handler;
    this.#method = method;
    this.#maxHeaderBytes = maxHeaderBytes;
  }

  /** Whether another answer may come on the connection, once this one has ended. */
  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  /** Reads no further. */
  drop(): void {
    this.#dropped = true;
  }

  /**
   * Takes what has come. Bytes behind the end are no part of the answer, and the connection is not kept then, as in Envoy.
   * @throws MalformedResponse
   */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== 'done' && !this.#dropped) at = this.#step(bytes, at);
    if (this.#state !== 'done' || this.#dropped) return;
    if (at < bytes.length) this.#keepsAlive = false; // nobody has asked for more
    this.#tellEnd();
  }

  /**
   * The connection has been ended by its other end.
   * @returns false: in the middle of the answer
   */
  finish(): boolean {
    if (this.#state !== 'close') return false;
    this.#state = 'done';
    this.#tellEnd();
    return true;
  }

  #tellEnd(): void {
    this.#dropped = true;
    this.#handler.onEnd(this.#trailers);
  }

  /** @returns how far it has read */
  #step(bytes: Buffer, at: number): number {
    switch (this.#state as Exclude<State, 'done'>) {
      case 'head':
        return this.#readHead(bytes, at);
      case 'length':
      case 'chunk':
        return this.#readCounted(bytes, at);
      case 'close':
        this.#handler.onBody(bytes.subarray(at));
        return bytes.length;
      case 'size':
        return this.#readSize(bytes, at);
      case 'chunk-end':
        return this.#readChunkEnd(bytes, at);
      case 'trailers':
        return this.#readTrailers(bytes, at);
    }
  }

  #readHead(bytes: Buffer, start: number): number {
    let at = start;
    if (this.#begun === undefined) while (at < bytes.length && isLineEnd(bytes[at])) at++; // RFC 9112 §2.2
    if (at === bytes.length) return at;
    if (this.#isLast) throw new MalformedResponse('an answer behind one that ends the connection');
    const most = this.#maxHeaderBytes;
    const block = this.#take(bytes, at, '\r\n\r\n', most + around);
    if (block === undefined) {
      if (!mayBecomeHead(this.#begun)) throw new MalformedResponse('no status line');
      return bytes.length;
    }
    const { text, next } = block;
    const firstEnd = endOf(text, 0);
    const [, version, digits = ''] = statusLine.exec(text.slice(0, firstEnd)) ?? [];
    if (version === undefined) throw new MalformedResponse('no status line');
    const headers = new HeaderMap([[':status', digits]]);
    readFields(text, firstEnd + lineEnd.length, headers, most);
    this.#onHead(Number(digits), version, headers);
    return next;
  }

  #onHead(status: number, version: string, headers: HeaderMap): void {
    const length = lengthOf(headers);
    const coding = headers.get('transfer-encoding');
    const connection = headers.get('connection')?.toLowerCase() ?? '';
    if (coding !== undefined && !/^chunked$/i.test(coding)) throw new MalformedResponse(`transfer-encoding: ${coding}`);
    if (coding !== undefined && length !== undefined) throw new MalformedResponse('a length and chunks');
    if (status < 100) throw new MalformedResponse(`status ${status}`);
    const persists = version === '1.1' ? !hasOption(connection, 'close') : hasOption(connection, 'keep-alive');
    if (status < 200 && status !== 101) {
      this.#isLast = !persists;
      return; // informational: the answer is still to come
    }
    if (status === 101) {
      this.#handler.onHead({ status, headers, isEmpty: false });
      if (!this.#dropped) this.#tellEnd(); // what follows is another protocol, which nobody has asked for
      return;
    }
    const hasNone = this.#method === 'HEAD' || status === 204 || status === 304;
    this.#rest = length ?? 0;
    if (hasNone || length === 0) this.#state = 'done';
    else if (coding !== undefined) this.#state = 'size';
    else this.#state = length === undefined ? 'close' : 'length';
    this.#keepsAlive = persists && this.#state !== 'close';
    this.#handler.onHead({ status, headers, isEmpty: this.#state === 'done' });
  }

  #readCounted(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#rest);
    this.#rest -= end - at;
    if (this.#rest === 0) this.#state = this.#state === 'length' ? 'done' : 'chunk-end';
    this.#handler.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  #readSize(bytes: Buffer, at: number): number {
    const line = this.#take(bytes, at, '\r\n', longestSizeLine);
    if (line === undefined) {
      if (!begunSize.test(this.#begun?.toString('latin1') ?? '')) throw new MalformedResponse('no size of a chunk');
      return bytes.length;
    }
    const [, digits = ''] = sizeLine.exec(line.text) ?? [];
    this.#rest = parseInt(digits, 16);
    if (!Number.isSafeInteger(this.#rest)) throw new MalformedResponse('no size of a chunk');
    this.#state = this.#rest === 0 ? 'trailers' : 'chunk';
    if (this.#rest === 0) this.#begun = lineEnd; // of this line: behind it an empty line is the end, as behind trailers
    return line.next;
  }

  #readChunkEnd(bytes: Buffer, at: number): number {
    const line = this.#take(bytes, at, '\r\n', 0);
    if (line === undefined) return bytes.length;
    this.#state = 'size';
    return line.next;
  }

  #readTrailers(bytes: Buffer, at: number): number {
    const most = this.#maxHeaderBytes;
    const block = this.#take(bytes, at, '\r\n\r\n', most + around);
    if (block === undefined) return bytes.length;
    readFields(block.text, lineEnd.length, this.#trailers, most);
    this.#state = 'done';
    return block.next;
  }

  /**
   * The text up to an end, as latin1.
   * @returns undefined: its end has not come, and what has come is kept
   * @throws MalformedResponse where there would be more than `most` bytes of it
   */
  #take(
    bytes: Buffer,
    at: number,
    end: string,
    most: number,
  ): { readonly text: string; readonly next: number } | undefined {
    const begun = this.#begun?.length ?? 0;
    const all = begun === 0 ? bytes : this.#kept(bytes, at);
    const start = begun === 0 ? at : 0;
    const found = all.indexOf(end, start, 'latin1');
    if ((found < 0 ? all.length - end.length + 1 : found) - start > most) throw new MalformedResponse('too long');
    if (found < 0) {
      const kept = this.#kept(bytes, at);
      if (hasBareLineEnd(kept, Math.max(0, begun - 1)))
        throw new MalformedResponse('a line that does not end with CR LF');
      this.#begun = kept;
      return undefined;
    }
    this.#begun = undefined;
    const next = found + end.length;
    return { text: all.toString('latin1', start, found), next: begun === 0 ? next : at + next - begun };
  }

  /** What was kept, and what has come. */
  #kept(bytes: Buffer, at: number): Buffer {
    const fresh = bytes.subarray(at);
    return this.#begun === undefined ? fresh : Buffer.concat([this.#begun, fresh]);
  }
}

/** Whether a head that has begun like this may be one. */
function mayBecomeHead(begun: Buffer | undefined): boolean {
  const first = begun?.toString('latin1', 0, 64) ?? '';
  const end = first.indexOf('\r\n');
  return end < 0 ? 'HTTP/'.startsWith(first.slice(0, 5)) : statusLine.test(first.slice(0, end));
}

/** Whether CR or LF is there without the other; the last byte may be a CR whose LF has not come. */
function hasBareLineEnd(bytes: Buffer, start: number): boolean {
  for (let at = bytes.indexOf(13, start); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] !== 10) return true;
  }
  for (let at = bytes.indexOf(10, start); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (at > start ? bytes[at - 1] !== 13 : start === 0) return true;
  }
  return false;
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 13 || byte === 10;
}

function endOf(text: string, start: number): number {
  const end = text.indexOf('\r\n', start);
  return end < 0 ? text.length : end;
}

/** Adds fields, a line each. @throws MalformedResponse for other lines, and for more than may be */
function readFields(text: string, start: number, headers: HeaderMap, mostBytes: number): void {
  let bytes = 0;
  let count = 0;
  for (let at = start; at < text.length;) {
    const end = endOf(text, at);
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon >= end) throw new MalformedResponse('a line that is no header');
    const name = text.slice(at, colon);
    const value = withoutSpace(text, colon + 1, end);
    const endsWithTab = text.charCodeAt(end - 1) === 9; // Node's parser takes none behind a length
    if (endsWithTab && name.toLowerCase() === 'content-length') throw new MalformedResponse('no length');
    if (!isField(name, value)) throw new MalformedResponse('a header with other characters');
    bytes += name.length + value.length;
    if (bytes >= mostBytes || ++count > mostHeaders) throw new MalformedResponse('too many headers');
    headers.append(name, value);
    at = end + 2;
  }
}

function withoutSpace(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

/** @throws MalformedResponse for what is no length, or more than one */
function lengthOf(headers: HeaderMap): number | undefined {
  const text = headers.get('content-length');
  if (text === undefined) return undefined;
  const length = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(length)) throw new MalformedResponse('no length');
  return length;
}

/** @param list of a Connection header, in lower case */
function hasOption(list: string, option: string): boolean {
  return list !== '' && list.split(',').some((each) => each.trim() === option);
}
