// Takes secrets out of what is shown or carried away: configurations, counters, findings.

/** What stands where a secret was. */
export const removed = '[removed]';

/** A secret by the name of its member. */
const secretName =
  /(?:^|[_-])(?:token|secret|password|passwd|passphrase|credential|credentials|api[_-]?key|private[_-]?key|hmac[_-]?secret|client[_-]?secret|access[_-]?key|session[_-]?key)$|(?:Token|Secret|Password|Credential|ApiKey|PrivateKey|AccessKey)$|^(?:apikey|authorization|proxy-authorization|cookie|set-cookie)$/i;

/** A header that carries one, by its name. */
const secretHeader =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|.*(?:token|secret|password|api-?key).*)$/i;

/** Members that name a header; their neighbour `value` is its value. */
const headerNames = ['key', 'name', 'header', 'header_name'] as const;

/** What is a name, and no secret, below a member that holds secrets. */
const plainMembers = new Set(['env', 'type', 'header', 'headers', 'in', 'scheme', 'id', 'name', 'position']);

/** What holds bytes of modules and certificates: of no use to who reads, and large. */
const bulk = new Set(['inline_bytes', 'inlineBytes']);

/** Texts that are secrets wherever they stand. */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, removed],
  [/\b(Bearer|Basic)[ +][A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${removed}`],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, removed],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s"'@]+@/gi, `$1${removed}@`],
  [/([?&][^=&\s"']*(?:token|secret|password|key|sig(?:nature)?)[^=&\s"']*=)[^&\s"'#{}]+/gi, `$1${removed}`],
];

const deepest = 200;

export interface Redacted {
  readonly value: unknown;
  /** Where a secret stood: `configs[0].bootstrap.…` */
  readonly places: readonly string[];
}

/**
 * A copy of a JSON value without its secrets.
 * @param known texts that are secrets wherever they stand, such as tokens that were sent
 */
export function redact(value: unknown, known: readonly string[] = []): Redacted {
  const places: string[] = [];
  return { value: new Redactor(places, known).of(value, [], false), places };
}

/** The same of a text that is no JSON. */
export function redactText(text: string, known: readonly string[] = []): string {
  let result = text;
  for (const secret of known) if (secret.length > 0) result = result.replaceAll(secret, removed);
  for (const [pattern, stand] of secretTexts) result = result.replaceAll(pattern, stand);
  return result;
}

class Redactor {
  readonly #places: string[];
  readonly #known: readonly string[];

  constructor(places: string[], known: readonly string[]) {
    this.#places = places;
    this.#known = known;
  }

  /** @param isSecret it stands below a member that holds secrets */
  of(value: unknown, path: readonly string[], isSecret: boolean): unknown {
    if (path.length > deepest) return removed;
    if (typeof value === 'string') return this.#text(value, path, isSecret);
    if (typeof value === 'number' && isSecret) return this.#remove(path);
    if (Array.isArray(value)) return value.map((each, index) => this.of(each, [...path, String(index)], isSecret));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value);
    const header = members.find(
      ([name, each]) =>
        (headerNames as readonly string[]).includes(name) && typeof each === 'string' && secretHeader.test(each),
    );
    return Object.fromEntries(
      members.map(([name, each]) => {
        const at = [...path, name];
        if (bulk.has(name) && typeof each === 'string') return [name, `(${each.length} characters left out)`];
        if (isSecret && plainMembers.has(name)) return [name, this.of(each, at, false)];
        const ofHeader = header !== undefined && (name === 'value' || name === 'raw_value');
        return [name, this.of(each, at, isSecret || ofHeader || holdsSecrets(at))];
      }),
    );
  }

  #text(text: string, path: readonly string[], isSecret: boolean): unknown {
    if (text === '' || text === '[redacted]') return text;
    const inner = isSecret ? undefined : objectIn(text);
    if (inner !== undefined) return JSON.stringify(this.of(inner, path, false));
    if (isSecret) return this.#remove(path);
    const clean = redactText(text, this.#known);
    if (clean !== text) this.#places.push(path.join('.'));
    return clean;
  }

  #remove(path: readonly string[]): string {
    this.#places.push(path.join('.'));
    return removed;
  }
}

function holdsSecrets(path: readonly string[]): boolean {
  const name = path.at(-1) ?? '';
  // Variables of a VM by their values; values of REST tools; Envoy's own command line.
  if (name === 'key_values' || name === 'config_yaml') return true;
  if (name === 'config' && ['rest', 'server'].includes(path.at(-2) ?? '')) return true;
  return secretName.test(name);
}

/** A plugin configuration is JSON in a text. */
function objectIn(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
