// Answers of servers for tests, beside what a client must get of them: written together, so that neither is made of the other.
import fc from 'fast-check';

/** JSON whose members keep their order, and whose texts know how they are written. */
type Tree =
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: Tree])[] }
  | { readonly kind: 'array'; readonly elements: readonly Tree[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'word'; readonly word: string };

/** Of the ids in one event: with more of them, an id of a message that waits is given up. */
const MOST_IDS = 60;

/** How a document is written: what stands between its tokens, and how its characters are escaped. */
export interface Style {
  readonly spaces: readonly string[];
  /** Of the characters, in turn. */
  readonly escapes: readonly ('none' | 'short' | 'unit')[];
}

/** What a server sends, and what its client gets. */
export interface Pair {
  readonly server: string;
  readonly client: string;
}

/** In place of a sealed text the client's side says what was sealed. */
export const sealed = (original: string): string => `<sealed ${original}>`;

/** Where URIs stand in a message, arrays left out. */
const CONTENT = String.raw`(?:result|(?:result|params)\.messages)(?:\.content)+`;
const META = String.raw`_meta\.(?:ui\.resourceUri|ui/resourceUri)`;
const URI = new RegExp(
  `^(?:params\\.uri|error\\.data\\.uri|result\\.${META}|result\\.contents\\.(?:uri|${META})|` +
    `${CONTENT}\\.(?:uri|${META}|resource\\.(?:uri|${META})))$`,
);
const SERVERS_ID = /^params\.(?:requestId|_meta\.progressToken)$/;

/** The place of the mark in a URI, or undefined. */
function markAt(uri: string): number | undefined {
  if (/^https:\/\//i.test(uri)) return undefined;
  return /^[a-z][a-z0-9+.-]*:(?:\/\/)?/i.exec(uri)?.[0].length ?? 0;
}

interface Insertion {
  /** The character before which it stands. */
  readonly at: number;
  readonly what: string;
}

/** What is put into a text of a server where there are several. */
function insertionIn(path: string, text: string, mark: string): Insertion | undefined {
  // Servers that share their clients may ask them for no tasks.
  if (path === 'method') return text.startsWith('tasks/') ? { at: 0, what: 'unoffered:' } : undefined;
  const at = URI.test(path) ? markAt(text) : undefined;
  return at === undefined ? undefined : { at, what: mark };
}

/** Writes a message of a server. @param mark what tells its URIs from others'; undefined: nothing does */
export function write(message: Tree, style: Style, mark: string | undefined): Pair {
  let spaces = 0;
  let characters = 0;
  let server = '';
  let client = '';
  const both = (text: string): void => {
    server += text;
    client += text;
  };
  const space = (): void => {
    both(style.spaces[spaces++ % style.spaces.length] ?? '');
  };
  const escaped = (text: string): string =>
    charactersOf(text)
      .map((c) => written(c, style, characters++))
      .join('');
  const isRequest =
    message.kind === 'object' && message.members.some(([name]) => name === 'method' || name === 'params');

  const value = (tree: Tree, path: string, isElement = false): void => {
    space();
    if (tree.kind === 'object' || tree.kind === 'array') {
      const [open, close] = tree.kind === 'object' ? '{}' : '[]';
      both(open ?? '');
      const parts: readonly (readonly [string | undefined, Tree])[] =
        tree.kind === 'object' ? tree.members : tree.elements.map((element) => [undefined, element] as const);
      for (const [index, [name, part]] of parts.entries()) {
        if (index > 0) both(',');
        if (name !== undefined) {
          space();
          both(`"${escaped(name)}"`);
          space();
          both(':');
        }
        value(part, name === undefined ? path : path === '' ? name : `${path}.${name}`, name === undefined);
      }
      space();
      both(close ?? '');
    } else {
      const insertion =
        tree.kind === 'text' && mark !== undefined && !isElement ? insertionIn(path, tree.text, mark) : undefined;
      const token = tree.kind === 'word' ? tree.word : `"${escaped(tree.text)}"`;
      const isId = !isElement && ((path === 'id' && isRequest) || SERVERS_ID.test(path));
      server += token;
      if (isId && /^["\d-]/.test(token)) client += sealed(token);
      else if (insertion === undefined) client += token;
      else {
        // The same characters once more, to know where the mark is in them.
        const text = tree.kind === 'text' ? tree.text : '';
        characters -= charactersOf(text).length;
        const { at, what } = insertion;
        client += `"${escaped(text.slice(0, at))}${what}${escaped(text.slice(at))}"`;
      }
    }
    space();
  };
  value(message, '');
  return { server, client };
}

/** Of Unicode. */
function charactersOf(text: string): string[] {
  return Array.from(text);
}

const SHORT: Readonly<Record<string, string>> = { '/': '\\/', '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t' };

function written(character: string, { escapes }: Style, index: number): string {
  const way = escapes[index % escapes.length];
  const units = (): string =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join('');
  if (way === 'unit') return units();
  const short = SHORT[character];
  if (short !== undefined && (way === 'short' || character !== '/')) return short;
  return character < ' ' ? units() : character;
}

const object = (members: readonly (readonly [string, Tree])[]): Tree => ({ kind: 'object', members });
const text = (text: string): Tree => ({ kind: 'text', text });
const word = (word: string): Tree => ({ kind: 'word', word });
const array = (elements: readonly Tree[]): Tree => ({ kind: 'array', elements });

const uri = fc.oneof(
  fc.constantFrom('file:///a', 'FILE://a', 'urn:x', 'ui://form', 'https://x/', 'HTTPS://x', 'https:x', 'http://x', ''),
  fc.constantFrom('{+path}', '/a', 'x', 'a/b:c', 'git+ssh://x', '://x', 'é:x', 'test://{id}/x', '1:x', 'a:/b'),
  fc.string({ maxLength: 12 }),
);
const id = fc.oneof(
  fc.constantFrom('0', '-1', '9007199254740993', 'null').map(word),
  fc.constantFrom('1', '', 'a"\\/é').map(text),
);
const names = fc.constantFrom(
  ...['id', 'uri', 'resource', 'content', 'contents', 'messages', '_meta', 'ui', 'ui/resourceUri', 'resourceUri'],
  ...['requestId', 'progressToken', 'data', 'type', 'text', 'x', 'result', 'method', 'Uri', 'uri\0'],
);
/** Any JSON, full of names that matter elsewhere. */
const any = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, depthSize: 'medium' },
    uri.map(text),
    fc.constantFrom('1', 'true', 'null', '-1.5E+3').map(word),
    fc.array(tie('tree'), { maxLength: 3 }).map(array),
    fc.uniqueArray(fc.tuple(names, tie('tree')), { maxLength: 4, selector: ([name]) => name }).map(object),
  ),
})).tree;

const method = fc.oneof(any, fc.constantFrom('tasks/list', 'tasks/', 'tasks', 'Tasks/x', '/tasks/get').map(text));

/** Members in any order, with others between. */
function membersOf(...members: readonly fc.Arbitrary<readonly (readonly [string, Tree])[]>[]): fc.Arbitrary<Tree> {
  const other = fc
    .tuple(fc.constantFrom('jsonrpc', 'x', 'uri', 'content', 'Id'), any)
    .map((member) => [member] as const);
  return fc
    .tuple(...members, fc.oneof(fc.constant([]), other))
    .map((all) => all.flat())
    .chain((all) => fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }))
    .map(object);
}

const member = (name: string, value: fc.Arbitrary<Tree>): fc.Arbitrary<readonly (readonly [string, Tree])[]> =>
  value.map((value) => [[name, value]]);
const absentOr = (arbitrary: fc.Arbitrary<readonly (readonly [string, Tree])[]>) =>
  fc.oneof(fc.constant([]), arbitrary);

export const message: fc.Arbitrary<Tree> = fc.oneof(
  membersOf(member('id', id), fc.oneof(member('result', any), member('error', any))),
  membersOf(member('id', id), member('method', method), absentOr(member('params', any))),
  membersOf(member('method', method), absentOr(member('params', any))),
);

export const style: fc.Arbitrary<Style> = fc.record({
  spaces: fc.array(fc.constantFrom('', '', ' ', '\n', '\t ', ' \n'), { minLength: 1, maxLength: 5 }),
  escapes: fc.array(fc.constantFrom('none', 'none', 'none', 'short', 'unit'), { minLength: 1, maxLength: 7 }),
});

/** An event stream of messages, with everything that WHATWG HTML §9.2.6 allows around them. */
export function streamOf(mark: string | undefined): fc.Arbitrary<Pair> {
  const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
  const between = fc.constantFrom(
    ': x',
    'event: message',
    'retry: 5',
    'data',
    'id',
    'id:',
    'id: 7',
    'id:a:b',
    'x: uri',
  );
  const event = fc
    .record({
      document: fc.tuple(message, style).map(([tree, style]) => write(tree, style, mark)),
      separator: fc.constantFrom('data:', 'data: '),
      others: fc.array(between, { minLength: 1, maxLength: 4 }),
      isLonely: fc.boolean(),
      end: lineEnd,
    })
    .map(({ document, separator, others, isLonely, end }) => {
      const lines = (text: string): string[] => text.split('\n').map((line) => separator + line);
      const seal = (line: string): string =>
        line.replace(/^(id: ?)(.+)$/, (_, name: string, id: string) => name + sealed(id));
      const mixed = (text: string, other: (line: string) => string): string =>
        [...lines(text), '']
          .flatMap((line, i) => [
            ...((isLonely && i > 0) || i > MOST_IDS ? [] : [other(others[i % others.length] ?? '')]),
            line,
          ])
          .join(end) + end;
      return { server: mixed(document.server, (line) => line), client: mixed(document.client, seal) };
    });
  return fc.tuple(fc.constantFrom('', '\ufeff'), fc.array(event, { maxLength: 4 })).map(([byteOrderMark, events]) => ({
    server: byteOrderMark + events.map(({ server }) => server).join(''),
    client: byteOrderMark + events.map(({ client }) => client).join(''),
  }));
}
