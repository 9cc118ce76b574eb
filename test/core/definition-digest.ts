import { createHash } from 'node:crypto';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gsu;

/**
 * The form that a digest of a definition is made of, written down a second time from its description: no white space between
 * tokens, members sorted by the bytes of their names, strings and numbers as they came.
 */
export function canonicalForm(json: string): string {
  const tokens = json.match(TOKEN) ?? [];
  let at = 0;
  const value = (): string => {
    const token = tokens[at++] ?? '';
    if (token === '[') {
      const elements: string[] = [];
      for (; tokens[at] !== ']'; at += tokens[at] === ',' ? 1 : 0) elements.push(value());
      at++;
      return `[${elements.join(',')}]`;
    }
    if (token !== '{') return token;
    const members: [name: Buffer, text: string][] = [];
    for (; tokens[at] !== '}'; at += tokens[at] === ',' ? 1 : 0) {
      const name = tokens[at] ?? '';
      at += 2;
      members.push([Buffer.from(name.slice(1, -1)), `${name}:${value()}`]);
    }
    at++;
    members.sort(([one], [other]) => Buffer.compare(one, other));
    return `{${members.map(([, text]) => text).join(',')}}`;
  };
  return value();
}

export function digestOf(definition: string): string {
  return `sha256:${createHash('sha256').update(canonicalForm(definition)).digest('hex')}`;
}
