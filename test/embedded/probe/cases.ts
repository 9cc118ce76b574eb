import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type ShapeName, readShapes } from './shapes.ts';

/** A listener that a case runs on; equal ones are one listener. */
export interface Setup {
  readonly filters: readonly ProbeFilter[];
  /** Of the connection manager, such as `1s`. */
  readonly stream_idle_timeout?: string;
  readonly request_timeout?: string;
  readonly per_connection_buffer_limit_bytes?: number;
  readonly stream_error_on_invalid_http_message?: boolean;
  readonly http_protocol_options?: Readonly<Record<string, string | boolean>>;
}

export interface ProbeFilter {
  readonly root_id: string;
  readonly vm_id?: string;
  readonly failure_policy?: 'FAIL_CLOSED' | 'FAIL_RELOAD' | 'FAIL_OPEN';
  readonly allow_on_headers_stop_iteration?: boolean;
  /** For callbacks without a request; by a name that is theirs in the trace. */
  readonly script?: string;
}

export interface Case {
  readonly file: string;
  readonly title: string;
  readonly setup: Setup;
  readonly script: string;
  /** Sent one after the other, each in all shapes at once. */
  readonly requests: readonly ProbeRequest[];
  readonly expected: readonly Expected[];
}

export interface ProbeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
  readonly shapes: readonly ShapeName[];
  /** Pieces after which the client goes away. */
  readonly abort: number | undefined;
  /** Each piece waits for this: for the filter, for the first byte of the response, or for the upstream to have the piece. */
  readonly pace: 'filter' | 'response' | 'upstream';
  /** Milliseconds until the trace is complete, where it goes on after the stream. */
  readonly settle: number;
  /** The next request does not wait until this one is over, only until the filter has seen it. */
  readonly together: boolean;
  /** Headers besides the usual ones that the outcome shows of what the upstream got. */
  readonly shows: readonly string[];
}

/** A block that says what is to happen. */
export interface Expected {
  readonly kind: ExpectedKind;
  /** What stands behind the kind: the shapes that it is about, all where none are named. */
  readonly of: string;
  readonly text: string;
}

const expectedKinds = ['outcome', 'trace', 'metrics', 'log', 'root-trace'] as const;
type ExpectedKind = (typeof expectedKinds)[number];

export const folder = new URL('cases/', import.meta.url);
export const block = /^### (.+)$|^```([\w-]+)(?: (.*))?\n([^]*?)^```$/gm;

export function caseFiles(): string[] {
  return readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md');
}

/** All cases; cases/README.md says what the blocks are. */
export function allCases(files: readonly string[] = caseFiles()): Case[] {
  return files.flatMap((file) => casesIn(file, readFileSync(new URL(file, folder), 'utf8')));
}

interface Unfinished extends Case {
  script: string;
  setup: Setup;
  readonly requests: ProbeRequest[];
  readonly expected: Expected[];
}

function casesIn(file: string, text: string): Case[] {
  const cases: Unfinished[] = [];
  let common: Setup = { filters: [{ root_id: 'a' }] };
  for (const [, title, kind = '', of = '', content = ''] of text.matchAll(block)) {
    if (title !== undefined) cases.push({ file, title, setup: common, script: '', requests: [], expected: [] });
    else if (kind === 'setup' && cases.length === 0) common = parse(content) as Setup;
    else put(cases.at(-1), kind, of, content.slice(0, -1));
  }
  return cases;
}

function put(current: Unfinished | undefined, kind: string, of: string, content: string): void {
  if (current === undefined) throw new Error(`a block of ${kind} above the first case`);
  if (kind === 'setup') current.setup = parse(content) as Setup;
  else if (kind === 'script') current.script = content;
  else if (kind === 'request') current.requests.push(readRequest(content));
  else if (isExpected(kind)) current.expected.push({ kind, of, text: content });
  else throw new Error(`${current.title}: no such block: ${kind}`);
}

function isExpected(kind: string): kind is ExpectedKind {
  return expectedKinds.some((known) => known === kind);
}

/** A request line, headers, an empty line, the body; `shapes`, `abort`, `pace`, `settle` and `shows` are the runner's. */
function readRequest(text: string): ProbeRequest {
  const [head = '', body = ''] = text.split('\n\n', 2);
  const [line = '', ...lines] = head.split('\n');
  const [method = '', path = ''] = line.split(' ');
  const { shapes, abort, pace, settle = '0', shows = '', together, ...headers } = fieldsOf(lines);
  return {
    method,
    path,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, several(value)])),
    body: bodyOf(body.trimEnd()),
    shapes: readShapes(shapes ?? (body === '' ? 'none' : 'body')),
    abort: abort === undefined ? undefined : Number(abort),
    pace: pace === 'response' || pace === 'upstream' ? pace : 'filter',
    settle: Number(settle),
    together: together !== undefined,
    shows: shows.split(/[ ,]+/).filter((name) => name !== ''),
  };
}

/** `name: value` each; a name that comes twice has a list, `\\t` is a tab. */
function fieldsOf(lines: readonly string[]): Record<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const value = line
      .slice(colon + 1)
      .trim()
      .replaceAll('\\t', '\t');
    const name = line.slice(0, colon);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return Object.fromEntries(fields);
}

function several(value: string): string | string[] {
  return value.includes('\n') ? value.split('\n') : value;
}

/** As it stands, or `{3000000 bytes}`. */
function bodyOf(text: string): Buffer {
  const size = /^\{(\d+) bytes\}$/.exec(text)?.[1];
  return size === undefined ? Buffer.from(text) : pattern(Number(size));
}

let numbered: Buffer = Buffer.alloc(0);

/** Bytes in which a piece that is missing, doubled or moved shows. */
export function pattern(size: number): Buffer {
  if (numbered.length < size) numbered = numbersUpTo(size);
  return numbered.subarray(0, size);
}

/** Each eight bytes are their own place, in base 36 behind dots: counted up in place, since a number of 31 MB takes its time. */
function numbersUpTo(size: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(size / 8) * 8, '.......0');
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
  const values = new Uint8Array(128);
  for (let value = 0; value < 36; value++) values[digits.charCodeAt(value)] = value;
  for (let at = 8; at < bytes.length; at += 8) {
    bytes.copyWithin(at, at - 8, at);
    let carry = 8;
    for (let place = at + 7; carry > 0; place--) {
      const value = (values[bytes[place] ?? 0] ?? 0) + carry;
      bytes[place] = digits.charCodeAt(value % 36);
      carry = value < 36 ? 0 : 1;
    }
  }
  return bytes;
}
