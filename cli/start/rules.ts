/** Whether the rules of a server (`tools.allow`, `tools.deny`) let a tool of its through; deny wins. */
export function passesRules(rules: unknown, tool: string): boolean {
  const { allow, deny } = (rules ?? {}) as { allow?: unknown; deny?: unknown };
  const matches = (patterns: unknown): boolean =>
    Array.isArray(patterns) && patterns.some((pattern) => typeof pattern === 'string' && matchesGlob(pattern, tool));
  return (allow === undefined || matches(allow)) && !matches(deny);
}

/** `*` is any run of characters, `?` one character; everything else is itself. Never slower than length times length. */
function matchesGlob(pattern: string, text: string): boolean {
  const [glob, name] = [Array.from(pattern), Array.from(text)];
  let [at, place] = [0, 0];
  let star = -1; // the last `*`, and how far in the text it reaches
  let reach = 0;
  while (place < name.length) {
    if (glob[at] === '*') {
      star = at++;
      reach = place;
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === name[place])) {
      at++;
      place++;
    } else if (star >= 0) {
      at = star + 1;
      place = ++reach;
    } else return false;
  }
  return glob.slice(at).every((character) => character === '*');
}
