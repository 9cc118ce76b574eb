// Messages as the blocks of cases write them down.
import type { Callout, CalloutAnswer } from './callouts.ts';
import type { LocalReply } from './encoding.ts';
import type { Headers } from './pairs.ts';

export interface Message {
  readonly first: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The same in pieces: it was written with `¦` between them. */
  readonly parts: readonly Buffer[];
}

/** How a body arrives: its chunks, and whether the last of them says that it is. */
export interface Arrival {
  readonly chunks: readonly Buffer[];
  /** HTTP/1 tells the end by an empty chunk, HTTP/2 with the last one, and both by trailers where there are some. */
  readonly end: 'empty' | 'last' | 'trailers';
  /** Its headers say how it is framed, not how long it is. */
  readonly inChunks?: boolean;
}

/** Large enough to be released before it has come whole. */
export const PAD = 'x'.repeat(70_000);

/** As HTTP/1 delivers a body that comes in one piece, or in those that the case names. */
export function whole({ parts }: Message): Arrival {
  return { chunks: parts, end: 'empty' };
}

/** A first line, headers, and behind an empty line a body. */
export function messageIn(text: string): Message {
  const gap = text.indexOf('\n\n');
  const [first = '', ...lines] = (gap < 0 ? text : text.slice(0, gap)).split('\n');
  const parts = (gap < 0 ? '' : text.slice(gap + 2)).replaceAll('{pad}', PAD).split('¦').map(bytesOf);
  return { first, headers: headersIn(lines), body: Buffer.concat(parts), parts };
}

export function headersIn(lines: readonly string[]): Headers {
  return lines.map((line) => {
    const colon = line.indexOf(':', 1);
    return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
  });
}

/** `\xNN` is that byte. */
function bytesOf(text: string): Buffer {
  return Buffer.concat(
    text
      .split(/(\\x[0-9a-f]{2})/)
      .map((part) => (/^\\x[0-9a-f]{2}$/.test(part) ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part))),
  );
}

export interface Response extends LocalReply {
  /** Seconds until it begins. */
  readonly after: number;
  /** What Envoy says of one that breaks off, else empty. */
  readonly cut: string;
}

/** Its status, what Envoy calls its origin, and then `after` so many seconds, or `cut` and what Envoy says of that. */
export function responseIn(text: string | undefined): Response | undefined {
  if (text === undefined) return undefined;
  const { first, headers, body } = messageIn(text);
  const [status = '', details = '', ...more] = first.split(' ');
  const option = (name: string): string => more[more.indexOf(name) + 1 || more.length] ?? '';
  return { status: Number(status), details, headers, body, after: Number(option('after')), cut: option('cut') };
}

export interface Answer {
  readonly cluster: string;
  /** Seconds. */
  readonly after: number;
  to(callout: Callout): CalloutAnswer;
}

/** `---` between answers; `ID` in one stands for the id of the request that it answers. */
export function answersIn(text: string | undefined): Answer[] {
  if (text === undefined) return [];
  return text.split(/^---\n/m).map((part) => {
    const { first, headers, body } = messageIn(part.replace(/\n$/, ''));
    const [cluster = '', status = '', , after = '0'] = first.split(' ');
    return {
      cluster,
      after: Number(after),
      to: (callout) =>
        status === 'reset'
          ? undefined
          : { headers: [[':status', status], ...headers], body: Buffer.from(withId(body.toString(), callout)) },
    };
  });
}

function withId(text: string, { body }: Callout): string {
  return text.replaceAll(/\bID\b/g, /"id":("[^"]*")/.exec(body.toString())?.[1] ?? 'null');
}

/** As `outcome` shows it. */
export function section(title: string, headers: Headers, body: Buffer): string {
  const head = [title, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  return body.length === 0 ? head : `${head}\n\n${body.toString()}`;
}
