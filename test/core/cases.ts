import { readFileSync } from 'node:fs';

/** A heading of the third level and the fenced blocks under it, by what is written behind their fences. */
export interface Case {
  title: string;
  blocks: Map<string, string>;
}

const PART = /^### (.+)$|^```(\w+)\n([^]*?)^```$/gm;

/** The cases of test/core/cases/<name>.md. Blocks come without the line feed before the closing fence. */
export function casesIn(name: string): Case[] {
  const cases: Case[] = [];
  const text = readFileSync(new URL(`cases/${name}.md`, import.meta.url), 'utf8');
  for (const [, title, kind, content] of text.matchAll(PART)) {
    if (title !== undefined) cases.push({ title, blocks: new Map() });
    else {
      const blocks = cases.at(-1)?.blocks;
      if (!blocks || kind === undefined || content === undefined || blocks.has(kind)) {
        throw new Error(`${name}.md: a block of "${kind ?? ''}" without a heading, or the second under one`);
      }
      blocks.set(kind, content.slice(0, -1));
    }
  }
  return cases;
}

/** A block that the case must have. */
export function blockOf({ title, blocks }: Case, kind: string): string {
  const block = blocks.get(kind);
  if (block === undefined) throw new Error(`"${title}" has no block of "${kind}"`);
  return block;
}
