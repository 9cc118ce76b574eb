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

/** `SHOP_API_KEY`: the environment variable of a credential. */
export function variableFrom(...parts: readonly string[]): string {
  const text = parts
    .join('_')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 100);
  return /^[A-Z]/.test(text) ? text : `_${text}`;
}
