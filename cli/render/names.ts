/** Servers are parts of paths, metrics and variables. */
const longestName = 63;

/** A name as configurations want it: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`. */
export function serverNameFrom(said: string, otherwise = 'server'): string {
  const name = said
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, longestName)
    .replace(/-+$/, '');
  return name === '' ? otherwise : name;
}

/** The same name, or one with a number behind it that nobody has yet; it is taken then. */
export function unique(wanted: string, taken: Set<string>, separator = '-'): string {
  let name = wanted;
  for (let count = 2; taken.has(name); count++) name = `${wanted}${separator}${count}`;
  taken.add(name);
  return name;
}

/** The environment variables of credentials: no two secrets share one, as a server would get the credential of another. */
export class Variables {
  readonly #taken = new Set<string>();
  /** By the name that was wanted, and the secret. */
  readonly #given = new Map<string, string>();

  /**
   * `SHOP_API_KEY`, or with a number behind it where that is another secret's.
   * @param secret tells it from others whose parts make the same name: its value, or where it is
   */
  of(secret: string, ...parts: readonly string[]): string {
    const wanted = variableFrom(...parts);
    const key = JSON.stringify([wanted, secret]);
    const given = this.#given.get(key) ?? unique(wanted, this.#taken, '_');
    this.#given.set(key, given);
    return given;
  }
}

function variableFrom(...parts: readonly string[]): string {
  const text = parts
    .join('_')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 100);
  return /^[A-Z]/.test(text) ? text : `_${text}`;
}
