// A second reader of messages, strict and slow: JSON.parse decides what is JSON, a regular expression finds the tokens, and
// the rules of docs and cases/envelope.md are written down once more, without a look at the module.
import { isJson } from '../core/json-text.ts';
import { type Token, tokensIn } from '../core/tokens.ts';

const routing = ['jsonrpc', 'method', 'id', 'params', 'name', 'uri', 'arguments', 'ref', '_meta'];
/** Once each, too; but nobody is routed by them, so that a look-alike is harmless. */
const known = [...routing, 'result', 'error', 'cursor'];
const claimKey = 'io.modelcontextprotocol/protocolVersion';
const byUri = ['resources/read', 'resources/subscribe', 'resources/unsubscribe'];
const byReference = 'completion/complete';
const mostLevels = 512;
const mostOfId = 4096;

/** What has to be told of bytes that are no JSON, or nest too deep: only that they are refused. */
export const REFUSED = 'refused';

/** What has to be told of a message, in the form of cases/envelope.md, or `REFUSED`. */
export function expectedOf(body: Uint8Array): string {
  const bytes = withoutMark(body);
  if (!isJson(bytes)) return REFUSED;
  const text = new TextDecoder().decode(bytes);
  const tokens = tokensIn(text);
  if (tokens.some(({ depth }) => depth > mostLevels)) return REFUSED;
  const first = tokens[0]?.kind;
  if (first === '[') return 'invalid_request: it is a batch, which only sessions of 2025-03-26 have';
  if (first !== '{') return 'invalid_request: the message is not an object';
  return new Message(Buffer.from(bytes), tokens).told();
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

interface Value {
  readonly raw: string;
  readonly kind: Token['kind'];
  /** Members of an object, in their order. */
  readonly members: readonly Member[];
}

interface Member {
  readonly key: string;
  /** Which token names it: problems are told in the order of their keys. */
  readonly at: number;
  readonly value: Value;
}

class Message {
  readonly #bytes: Buffer;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(bytes: Buffer, tokens: readonly Token[]) {
    this.#bytes = bytes;
    this.#tokens = tokens;
  }

  told(): string {
    const root = this.#value(3);
    const problems: { at: number; detail: string }[] = [];
    const top = admitted(root, problems);
    const params = top.get('params');
    const isObject = params?.kind === '{';
    const inParams = isObject ? admitted(params, problems) : new Map<string, Value>();
    const reference = inParams.get('ref');
    const inReference = reference?.kind === '{' ? admitted(reference, problems) : new Map<string, Value>();
    const meta = inParams.get('_meta');
    const claims = (meta?.kind === '{' ? meta.members : []).filter(({ key }) => key === claimKey);
    const [claim, second] = claims;
    if (second !== undefined) problems.push({ at: second.at, detail: 'it claims a protocol version twice' });

    const id = top.get('id');
    const isId = id !== undefined && (id.kind === 'string' || (id.kind === 'number' && /^-?\d+$/.test(id.raw)));
    const isShort = Buffer.byteLength(id?.raw ?? '') <= mostOfId;
    const isAnswer = (top.has('result') || top.has('error')) && !top.has('method');
    const idLine = isId && isShort && !isAnswer ? [`id: ${id.raw}`] : [];
    const refused = (reason: string, detail: string): string => [`${reason}: ${detail}`, ...idLine].join('\n');

    const [problem] = problems.sort((a, b) => a.at - b.at);
    if (problem !== undefined) return refused('parse_error', problem.detail);
    const version = top.get('jsonrpc');
    if (version?.kind !== 'string' || textOf(version) !== '2.0')
      return refused('invalid_request', '"jsonrpc" is not "2.0"');
    if (isId && !isShort) return refused('invalid_request', '"id" has more than 4096 bytes');
    if (id !== undefined && !isId) return refused('invalid_request', '"id" is neither a string nor an integer');
    const method = top.get('method');
    const hasResult = top.has('result') || top.has('error');
    if (method === undefined && !hasResult)
      return refused('invalid_request', 'it has neither "method" nor "result" nor "error"');
    if (method !== undefined && hasResult) return refused('invalid_request', 'it has a method and a result');
    if (method !== undefined && method.kind !== 'string') return refused('invalid_request', '"method" is not a string');
    const hasParams = params !== undefined && params.raw !== 'null';
    if (method !== undefined && hasParams && !isObject) return refused('invalid_request', '"params" is not an object');

    const shape = method === undefined ? 'response' : id === undefined ? 'notification' : 'request';
    const line = (name: string, value: Value | undefined): string[] =>
      value === undefined ? [] : [`${name}: ${value.raw}`];
    const cursor = inParams.get('cursor');
    return [
      shape,
      ...idLine,
      ...line('method', method),
      ...line('params', hasParams ? params : undefined),
      ...line('name', keyOf(method, inParams, inReference)),
      ...line('cursor', cursor?.raw === 'null' ? undefined : cursor),
      ...line('claim', claim?.value),
    ].join('\n');
  }

  /** The value that begins with the next token. @param levels so many below it have their members told apart */
  #value(levels: number): Value {
    const first = this.#next();
    if (first.kind !== '{' && first.kind !== '[') return this.#made(first, first, []);
    const members: Member[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token === undefined) throw new Error('it has no end');
      if (token.kind === '}' || token.kind === ']') return this.#made(first, this.#next(), members);
      if (token.kind !== 'key') {
        this.#value(levels - 1);
        continue;
      }
      const at = this.#at;
      const key = Buffer.from(this.#next().name ?? []).toString('latin1');
      const value = this.#value(levels - 1);
      if (levels > 0) members.push({ key: Buffer.from(key, 'latin1').toString(), at, value });
    }
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('it has no end');
    return token;
  }

  #made(first: Token, last: Token, members: readonly Member[]): Value {
    return { raw: this.#bytes.toString('utf8', first.start, last.finish), kind: first.kind, members };
  }
}

/** What says what a message asks for. */
function keyOf(
  method: Value | undefined,
  inParams: ReadonlyMap<string, Value>,
  inReference: ReadonlyMap<string, Value>,
): Value | undefined {
  const name = method === undefined ? '' : textOf(method);
  const string = (value: Value | undefined): Value | undefined => (value?.kind === 'string' ? value : undefined);
  if (byUri.includes(name)) return string(inParams.get('uri'));
  if (name !== byReference) return string(inParams.get('name'));
  const [named, located] = [string(inReference.get('name')), string(inReference.get('uri'))];
  return named !== undefined && located !== undefined ? undefined : (named ?? located);
}

/** The known members of an object, the first of each name; what two readers could read in two ways is a problem. */
function admitted({ members }: Value, problems: { at: number; detail: string }[]): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const { key, at, value } of members) {
    if (isDisguise(key))
      problems.push({ at, detail: 'it has a member that some servers would read as a routing member' });
    else if (!known.includes(key)) continue;
    else if (found.has(key)) problems.push({ at, detail: 'it names a routing member twice' });
    else found.set(key, value);
  }
  return found;
}

/** Simple case folding as the engine's regular expressions have it, and texts of C, which end at NUL. */
function isDisguise(key: string): boolean {
  const [cut = ''] = key.split('\0');
  return !routing.includes(key) && cut.length < 16 && disguises.test(cut);
}

const disguises = new RegExp(`^(?:${routing.join('|')})$`, 'iu');

function textOf({ raw }: Value): string {
  const value: unknown = JSON.parse(raw);
  return typeof value === 'string' ? value : '';
}
