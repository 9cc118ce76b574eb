import type { Path } from './place.ts';

/** From 1, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Knows where the values of a document stand in its file. */
export interface Locator {
  readonly file: string;
  /** Where a value stands: its name, or where it is not there, the last that is on the way to it. */
  locate(path: Path): Position;
}

/**
 * A value of a file, which knows where it stands. What is asked of a value that is not there, or of another kind, is not
 * there either: no input makes a rule throw.
 */
export class Node {
  readonly value: unknown;
  readonly path: Path;
  readonly document: Locator;
  /** Names of what is there in the same object. */
  readonly siblings: readonly string[];

  constructor(value: unknown, path: Path, document: Locator, siblings: readonly string[] = []) {
    this.value = value;
    this.path = path;
    this.document = document;
    this.siblings = siblings;
  }

  /** A member; of Envoy's, the name in snake_case finds the one in camelCase too. (protobuf: ProtoJSON) */
  get(name: string, ...deeper: string[]): Node {
    const object = this.#object;
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const found = Object.hasOwn(object, name) || !Object.hasOwn(object, camel) ? name : camel;
    const value = Object.hasOwn(object, found) ? object[found] : undefined;
    const member = new Node(value, [...this.path, found], this.document, Object.keys(object));
    const [next, ...rest] = deeper;
    return next === undefined ? member : member.get(next, ...rest);
  }

  /** Elements of a list; one that stands alone is a list of one, as Envoy has it. */
  get items(): Node[] {
    if (this.value === undefined || this.value === null) return [];
    if (!Array.isArray(this.value)) return [this];
    return this.value.map((item: unknown, index) => new Node(item, [...this.path, index], this.document));
  }

  get entries(): [name: string, member: Node][] {
    return Object.entries(this.#object).map(([name, member]) => [
      name,
      new Node(member, [...this.path, name], this.document),
    ]);
  }

  get #object(): Readonly<Record<string, unknown>> {
    return this.isObject ? (this.value as Record<string, unknown>) : {};
  }

  get isObject(): boolean {
    return typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value);
  }

  get isThere(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  get number(): number | undefined {
    return typeof this.value === 'number' ? this.value : undefined;
  }

  /** A number, which ProtoJSON may have as a text. */
  get amount(): number | undefined {
    return this.text !== undefined && /^\d+$/.test(this.text) ? Number(this.text) : this.number;
  }

  /** For a message: a text as it is, anything else as JSON, the beginning of it. */
  get shown(): string {
    return (this.text ?? JSON.stringify(this.value ?? null)).slice(0, 60);
  }

  get isTrue(): boolean {
    return this.value === true;
  }

  /** Whether two values are the same, whatever the order of their members. */
  equals(other: Node): boolean {
    return canonical(this.value) === canonical(other.value);
  }
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
