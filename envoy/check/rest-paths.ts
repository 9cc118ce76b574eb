import { didYouMean } from '../../common/nearest.ts';
import type { Node } from '../yaml/node.ts';
import type { Report } from './finding.ts';

/**
 * Arguments of REST tools that have their place in the path, held against the places that the URL has: the module takes a
 * text in braces that names none of them for a part of the path, and sends nothing of an argument without a place.
 */
export function checkRestPaths(server: Node, report: Report): void {
  for (const tool of server.get('rest', 'tools').items) {
    const url = tool.get('requestTemplate', 'url');
    if (url.text === undefined) continue;
    const places = placesIn(url.text);
    const args = tool.get('args').items.filter((arg) => arg.get('position').text === 'path');
    const names = args.flatMap((arg) => arg.get('name').text ?? []);
    for (const place of places.filter((name) => !names.includes(name)))
      report('rest-path', url, `{${place}} is no argument of position path${didYouMean(place, names)}`);
    for (const arg of args) {
      const { text: name } = arg.get('name');
      if (name !== undefined && !places.includes(name))
        report('rest-path', arg.get('name'), `${name} has no place in the URL, which lacks {${name}}`);
    }
  }
}

/** `{id}`, and neither `{{action}}` nor the JSON of a query. */
function placesIn(url: string): string[] {
  return [...url.replace(/\{\{.*?\}\}/gs, '').matchAll(/\{([\w.-]+)\}/g)].map(([, name = '']) => name);
}
