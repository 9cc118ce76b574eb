import {
  type Document as YamlDocument,
  LineCounter,
  type Node as YamlNode,
  type Pair,
  type Scalar,
  isAlias,
  isMap,
  isScalar,
  isSeq,
} from 'yaml';
import { composeDocuments } from './compose.ts';
import { mostLevels } from './depth.ts';
import { type Locator, Node, type Position } from './node.ts';
import { type Path, pathText } from './place.ts';
import { type Dialect, lostNumber, misread, plainScalar } from './scalar.ts';

/** What is wrong with a text as YAML. */
export interface Flaw extends Position {
  readonly message: string;
  readonly severity: 'error';
  /** The value that is read otherwise than it looks; undefined where the text itself is wrong. */
  readonly path?: string;
}

/** One document of a file. */
export interface Document extends Locator {
  readonly root: Node;
}

/** The largest text, in bytes of UTF-8. Trees of YAML take some hundred times the room of their text. */
const mostBytes = 2 << 20;
/** Values of a document, those that aliases repeat among them. */
const mostValues = 200_000;
const mostFlaws = 50;

/**
 * Reads a file of YAML or JSON: its documents as plain values, and everything that is wrong with it as YAML. Bounded, and
 * never throws: not for aliases that multiply or lead back into themselves, nor for any bytes.
 */
export function readDocuments(file: string, bytes: Uint8Array): { documents: Document[]; flaws: Flaw[] } {
  const whole = (message: string): { documents: Document[]; flaws: Flaw[] } => ({
    documents: [],
    flaws: [{ line: 1, column: 1, message, severity: 'error' }],
  });
  if (bytes.length > mostBytes)
    return whole(`has ${bytes.length} bytes; files of up to ${mostBytes} bytes are checked`);
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\0asm') {
    return whole('is a WebAssembly module, not a configuration: name it with --module');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return whole('is not text in UTF-8');
  }
  const lines = new LineCounter();
  const trees = composeDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: 'silent',
    uniqueKeys: false, // takes the square of the time; found below
  });
  if (trees === undefined) return whole(`is nested deeper than ${mostLevels} levels`);
  const flaws: Flaw[] = [];
  const documents: Document[] = [];
  for (const tree of trees) {
    for (const { message, pos } of tree.errors.slice(0, mostFlaws)) {
      flaws.push({ ...position(lines, pos[0]), message: `is not YAML: ${firstLine(message)}`, severity: 'error' });
    }
    if (tree.errors.length > 0 || tree.contents === null) continue;
    const reader = new Reader(tree, lines, dialectOf(tree, file));
    const value = reader.read();
    flaws.push(...reader.flaws.slice(0, mostFlaws));
    const document: Document = {
      file,
      get root() {
        return new Node(value, [], document);
      },
      locate: (path) => reader.locate(path),
    };
    documents.push(document);
  }
  return { documents, flaws };
}

/** As `readDocuments`, where a file has to be one document: others are a flaw. */
export function readDocument(file: string, bytes: Uint8Array): { document: Document | undefined; flaws: Flaw[] } {
  const { documents, flaws } = readDocuments(file, bytes);
  const [document, ...others] = documents;
  for (const { root } of others)
    flaws.push({ ...root.document.locate([]), message: furtherDocument, severity: 'error' });
  return { document, flaws };
}

export const furtherDocument = 'is a further document, and only the first one of a file is read';

/** Turns a tree into values. */
class Reader {
  readonly flaws: Flaw[] = [];
  readonly #tree: YamlDocument.Parsed;
  readonly #lines: LineCounter;
  /** YAML resolves an alias to the last anchor of its name before it. */
  readonly #anchors = new Map<string, YamlNode>();
  readonly #targets = new Map<YamlNode, YamlNode>();
  readonly #open = new Set<YamlNode>();
  readonly #dialect: Dialect;
  readonly #path: (string | number)[] = [];
  #rest = mostValues;

  constructor(tree: YamlDocument.Parsed, lines: LineCounter, dialect: Dialect) {
    this.#tree = tree;
    this.#lines = lines;
    this.#dialect = dialect;
  }

  read(): unknown {
    const value = this.#value(this.#tree.contents);
    if (this.#rest < 0) {
      this.flaws.push({
        line: 1,
        column: 1,
        message: `has more than ${mostValues} values, or aliases that make it so; what is beyond is not checked`,
        severity: 'error',
      });
    }
    return value;
  }

  #value(node: YamlNode | null): unknown {
    if (node === null || this.#rest-- < 0) return null;
    const anchor = isAlias(node) ? undefined : node.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    if (isAlias(node)) return this.#alias(node);
    if (isScalar(node)) return this.#scalar(node);
    // Aliases can nest deeper than the text does.
    if (this.#path.length >= mostLevels) return this.#flaw(node, `is nested deeper than ${mostLevels} levels`);
    this.#open.add(node);
    try {
      if (isSeq(node)) return node.items.map((item, index) => this.#at(index, item as YamlNode | null));
      if (isMap(node)) return this.#object(node.items);
      return null;
    } finally {
      this.#open.delete(node);
    }
  }

  #at(step: string | number, node: YamlNode | null): unknown {
    this.#path.push(step);
    const value = this.#value(node);
    this.#path.pop();
    return value;
  }

  #scalar(node: Scalar): unknown {
    const value = typeof node.value === 'bigint' ? Number(node.value) : node.value;
    if (node.type !== 'PLAIN' || node.tag === '!') return value;
    const { source = '' } = node;
    const read = plainScalar(source, value, this.#dialect);
    const step = this.#path.at(-1);
    const message =
      misread(source, read, typeof step === 'string' ? step : undefined, this.#dialect) ??
      (this.#isInPlugin() ? lostNumber(source, value, read) : undefined);
    if (message !== undefined && this.flaws.length < mostFlaws) {
      const place = position(this.#lines, node.range?.[0] ?? 0);
      this.flaws.push({ ...place, message, severity: 'error', path: pathText(this.#path) });
    }
    return read;
  }

  /** In the plugin configuration of a wasm filter, as a Struct. */
  #isInPlugin(): boolean {
    const at = this.#path.indexOf('configuration');
    return at >= 0 && this.#path[at + 1] === 'value' && this.#dialect === 'envoy';
  }

  #alias(node: YamlNode & { source: string }): unknown {
    const target = this.#anchors.get(node.source);
    if (target === undefined) return this.#flaw(node, `*${node.source} names an anchor that is not before it`);
    if (this.#open.has(target)) return this.#flaw(node, `*${node.source} leads back into itself`);
    this.#targets.set(node, target);
    return this.#value(target);
  }

  #object(pairs: readonly Pair[]): Record<string, unknown> {
    const object = Object.create(null) as Record<string, unknown>; // a member may be called __proto__
    const merged: unknown[] = [];
    for (const pair of pairs) {
      const name = keyOf(pair);
      const value = this.#at(name, pair.value as YamlNode | null);
      if (name === '<<' && this.#dialect === 'kubernetes')
        merged.push(...(Array.isArray(value) ? (value as unknown[]) : [value]));
      else if (Object.hasOwn(object, name))
        this.#flaw(pair.key as YamlNode, `${name} is given twice, and one of them lost`);
      else object[name] = value;
    }
    for (const source of merged) {
      if (typeof source !== 'object' || source === null) continue;
      for (const [name, value] of Object.entries(source)) if (!Object.hasOwn(object, name)) object[name] = value;
    }
    return object;
  }

  #flaw(node: YamlNode, message: string): null {
    this.flaws.push({ ...position(this.#lines, node.range?.[0] ?? 0), message, severity: 'error' });
    return null;
  }

  locate(path: Path): Position {
    let node: YamlNode | null = this.#tree.contents;
    let at = node?.range?.[0] ?? 0;
    for (const step of path) {
      if (node !== null && isAlias(node)) node = this.#targets.get(node) ?? null;
      if (isSeq(node) && typeof step === 'number') {
        node = (node.items[step] ?? null) as YamlNode | null;
        at = node?.range?.[0] ?? at;
      } else if (isMap(node)) {
        const pair = node.items.find((candidate) => keyOf(candidate) === step);
        if (pair === undefined) break;
        at = (pair.key as YamlNode).range?.[0] ?? at;
        node = pair.value as YamlNode | null;
      } else break;
      if (node === null) break;
    }
    return position(this.#lines, at);
  }
}

/** Kubernetes merges `<<`; to Envoy and to the module it is a member like others. Envoy goes by the name of a file. */
function dialectOf({ contents }: YamlDocument.Parsed, file: string): Dialect {
  if (file.endsWith('.json')) return 'yaml 1.2';
  const members = isMap(contents) ? contents.items.map(keyOf) : [];
  if (members.some((name) => name === 'apiVersion' || name === 'meshConfig')) return 'kubernetes';
  return members.some((name) => envoyMembers.has(name)) ? 'envoy' : 'yaml 1.2';
}

/** Members of bootstraps and discovery responses. */
const envoyMembers = new Set([
  'static_resources',
  'dynamic_resources',
  'staticResources',
  'dynamicResources',
  'resources',
]);

function keyOf({ key }: Pair): string {
  return isScalar(key) && typeof key.value === 'string' ? key.value : '';
}

function position(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}
