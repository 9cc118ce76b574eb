import type { Core } from './core.ts';

/** Where the text of a template goes, and so how values are escaped in it. */
export const ways = { plain: 0, url: 2, json: 3, form: 4 };

/** What a template yields: a text, the fault it failed with, or why it is refused and at which byte. */
export type Outcome = { text: string } | { fault: string } | { refused: string; position: number };

/** Compiles a template, and runs it on a JSON document. @param most bytes of its text */
export function rendered(
  core: Core,
  template: string,
  data: string,
  way: keyof typeof ways = 'plain',
  most = 1 << 20,
): Outcome {
  const found = core.text('renderTemplate', ...core.span(template), ...core.span(data), ways[way], most) ?? '';
  core.clear();
  if (found.startsWith('=')) return { text: found.slice(1) };
  if (found.startsWith('E')) return { fault: found.slice(1) };
  const [, position, refused] = /^P([0-9]+) ([^]*)$/.exec(found) ?? [];
  return { refused: refused ?? '', position: Number(position) };
}
