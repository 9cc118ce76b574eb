/** Names of members and indices of lists, from the outside in. */
export type Path = readonly (string | number)[];

/** `servers[2].prefix` */
export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** How filter/config/problems.ts names the root, and what it writes behind a path. */
const whole = 'the configuration: ';
const separator = ': ';

interface Split {
  readonly path: Path;
  readonly rest: string;
}

/** Divides a line `<path>: <message>` that the module wrote of a configuration. */
export function splitPlace(line: string, configuration: object): { path: string; message: string } {
  if (line.startsWith(whole)) return { path: '', message: line.slice(whole.length) };
  const found = walk(line, configuration, true, separator);
  return found === undefined ? { path: '', message: line } : { path: pathText(found.path), message: found.rest };
}

/** The steps of a path as `pathText` writes it, in the value that it leads into; as far as it leads. */
export function parsePath(text: string, value: unknown): Path {
  return text === '' ? [] : (walk(text, value, true, '')?.path ?? []);
}

/**
 * Names may hold dots, brackets and colons, so the value decides: the longest member that is there and leads on to the
 * end wins. Only for one that is not there (`is missing`) does a name end at the next such sign.
 */
function walk(text: string, value: unknown, first: boolean, end: string): Split | undefined {
  const [bracket, index] = /^\[(\d+)\]/.exec(text) ?? [];
  if (bracket !== undefined && !first) {
    const element: unknown = Array.isArray(value) ? value[Number(index)] : undefined;
    return behind(Number(index), walk(text.slice(bracket.length), element, false, end));
  }
  const name = first ? text : text.startsWith('.') ? text.slice(1) : undefined;
  for (const member of name === undefined ? [] : membersIn(value, name)) {
    const inside = (value as Record<string, unknown>)[member];
    const found = behind(member, walk(name?.slice(member.length) ?? '', inside, false, end));
    if (found !== undefined) return found;
  }
  if (!first && (end === '' ? text === '' : text.startsWith(end))) return { path: [], rest: text.slice(end.length) };
  const [absent] = /^[^.[\]:\s]+/.exec(name ?? '') ?? [];
  if (absent === undefined) return undefined;
  return behind(absent, walk(name?.slice(absent.length) ?? '', undefined, false, end));
}

function behind(step: string | number, found: Split | undefined): Split | undefined {
  return found === undefined ? undefined : { ...found, path: [step, ...found.path] };
}

/** Those that the text begins with, the longest first. */
function membersIn(value: unknown, text: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.keys(value)
    .filter((member) => member !== '' && text.startsWith(member))
    .sort((a, b) => b.length - a.length);
}
