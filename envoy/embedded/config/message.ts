/** What is wrong with a configuration, each with its path. */
export class Problems {
  readonly lines: string[] = [];

  add(path: string, text: string): void {
    this.lines.push(`${path}: ${text}`);
  }
}

const units: Readonly<Record<string, number>> = { s: 1000, ms: 1 };

/**
 * A message of Envoy's API as JSON or YAML has it. Members are read by name; what nobody has read when it is finished is
 * not supported, and said so. Names may be written in snake_case or camelCase. (protobuf: ProtoJSON)
 */
export class Message {
  readonly path: string;
  readonly #problems: Problems;
  readonly #members: Map<string, unknown>;

  constructor(value: unknown, path: string, problems: Problems) {
    this.path = path;
    this.#problems = problems;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject && value !== undefined) problems.add(path, `expected an object, found ${show(value)}`);
    const entries = isObject ? Object.entries(value) : [];
    this.#members = new Map(entries.map(([name, member]) => [snakeCase(name), member]));
    this.#members.delete('@type');
  }

  #at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** The member as it is; nobody checks it but the caller. */
  raw(name: string): unknown {
    const value = this.#members.get(name);
    this.#members.delete(name);
    return value ?? undefined;
  }

  has(name: string): boolean {
    return this.#members.has(name) && this.#members.get(name) !== null;
  }

  problem(name: string, text: string): void {
    this.#problems.add(this.#at(name), text);
  }

  #typed<T>(name: string, expected: string, read: (value: unknown) => T | undefined, fallback: T): T {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const found = read(value);
    if (found === undefined) this.problem(name, `expected ${expected}, found ${show(value)}`);
    return found ?? fallback;
  }

  text(name: string, fallback = ''): string {
    return this.#typed(name, 'text', (value) => (typeof value === 'string' ? value : undefined), fallback);
  }

  /** Names of headers: lower case. */
  header(name: string): string {
    return this.text(name).toLowerCase();
  }

  flag(name: string, fallback = false): boolean {
    return this.#typed(name, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined), fallback);
  }

  count(name: string, fallback = 0): number {
    const read = (value: unknown): number | undefined => {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
      return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
    };
    return this.#typed(name, 'a whole number', read, fallback);
  }

  /** `1.5s` → 1500 */
  duration(name: string, fallback = 0): number {
    const read = (value: unknown): number | undefined => {
      const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(String(value)) ?? [];
      return digits === '' ? undefined : Number(digits) * (units[unit] ?? 1);
    };
    return this.#typed(name, 'a duration like 1.5s', read, fallback);
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const read = (value: unknown): T | undefined => choices.find((choice) => choice === value);
    return this.#typed(name, `one of ${choices.join(', ')} (the embedded engine has no other)`, read, fallback);
  }

  texts(name: string): string[] {
    const read = (value: unknown): string[] | undefined =>
      Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
    return this.#typed<string[]>(name, 'a list of texts', read, []);
  }

  /** A member that is a message; absent, it is an empty one. */
  message<T>(name: string, read: (message: Message) => T): T {
    return readMessage(this.raw(name), this.#at(name), this.#problems, read);
  }

  optional<T>(name: string, read: (message: Message) => T): T | undefined {
    return this.has(name) ? this.message(name, read) : undefined;
  }

  messages<T>(name: string, read: (message: Message) => T): T[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.problem(name, `expected a list, found ${show(value)}`);
      return [];
    }
    return value.map((item, index) => readMessage(item, `${this.#at(name)}[${index}]`, this.#problems, read));
  }

  /** Members whose names are data. */
  map<T>(name: string, read: (message: Message) => T): Record<string, T> {
    const value = this.raw(name);
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    return Object.fromEntries(
      entries.map(([key, item]) => [key, readMessage(item, `${this.#at(name)}.${key}`, this.#problems, read)]),
    );
  }

  /** A `google.protobuf.Any` of one of these types, by their last names such as `http.wasm.v3.Wasm`. */
  any<T>(name: string, types: Readonly<Record<string, (message: Message) => T>>): T | undefined {
    const value = this.raw(name);
    const type = typeName((value as { '@type'?: unknown } | undefined)?.['@type']);
    const read = Object.hasOwn(types, type) ? types[type] : undefined;
    if (read === undefined) {
      const known = Object.keys(types).join(', ');
      this.problem(
        name,
        `${type === '' ? 'no @type' : type} is not supported by the embedded engine, which has ${known}`,
      );
      return undefined;
    }
    return readMessage(value, this.#at(name), this.#problems, read);
  }

  /** Members that mean nothing here, and take nothing away. */
  ignore(...names: string[]): void {
    for (const name of names) this.#members.delete(name);
  }

  finish(): void {
    for (const name of this.#members.keys()) this.problem(name, 'is not supported by the embedded engine');
    this.#members.clear();
  }
}

export function readMessage<T>(value: unknown, path: string, problems: Problems, read: (message: Message) => T): T {
  const message = new Message(value, path, problems);
  const found = read(message);
  message.finish();
  return found;
}

/** `type.googleapis.com/google.protobuf.Struct` → `google.protobuf.Struct` */
function typeName(url: unknown): string {
  return typeof url === 'string' ? (url.split('/').pop() ?? '') : '';
}

function snakeCase(name: string): string {
  return name.startsWith('@') ? name : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 100);
}
