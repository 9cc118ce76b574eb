import type { Report } from './finding.ts';
import type { Node } from '../yaml/node.ts';

/** Globs are matched by the module; here those are looked at that are matched by one which is their own text or all. */
const everything = /^\*+$/;

/** Names in `tools.allow` and `tools.deny` of a server that no tool of it can have, whatever its list is. */
export function checkPatterns(server: Node, report: Report): void {
  const name = server.get('name').text;
  const prefix = server.get('prefix').text ?? (name === undefined ? '' : `${name}_`);
  const [allow, deny] = ['allow', 'deny'].map((member) => server.get('tools', member).items);
  for (const pattern of [...(allow ?? []), ...(deny ?? [])]) {
    if (prefix === '' || pattern.text?.startsWith(prefix) !== true) continue;
    const own = pattern.text.slice(prefix.length);
    const meant = own === '' ? '' : `; did you mean ${JSON.stringify(own)}?`;
    report(
      'patterns',
      pattern,
      `${pattern.shown} begins with the gateway's prefix, which the server's own names do not have${meant}`,
    );
  }
  const denied = new Set((deny ?? []).map(({ text = '' }) => text));
  const deniesAll = [...denied].some((text) => everything.test(text));
  for (const pattern of allow ?? []) {
    if (pattern.text === undefined || !(deniesAll || denied.has(pattern.text))) continue;
    report('patterns', pattern, `${pattern.shown} is denied too, and a denial wins`);
  }
}
