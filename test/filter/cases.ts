import { readdirSync, readFileSync } from 'node:fs';

/** One request of a case, and what belongs to it, by what is written behind the fences of its blocks. */
export type Exchange = Map<string, string>;

/** A heading of the third level and what stands under it. */
export interface Case {
  readonly file: string;
  readonly title: string;
  readonly configuration: string;
  /** Of the listener, a line each; empty: those of the host mode. */
  readonly filters: string;
  /** Begins the session that `{session}` names, where the case does not begin one itself. */
  readonly opening: Exchange | undefined;
  readonly exchanges: readonly Exchange[];
}

const folder = new URL('cases/', import.meta.url);
/** A heading of the third level, or a block: its kind and what is in it. */
export const PART = /^### (.+)$|^```(\w+)\n([^]*?)^```$/gm;

export function caseFile(name: string): URL {
  return new URL(name, folder);
}

/** All cases of test/filter/cases; README.md there says what the blocks are. */
export function allCases(): Case[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.md') && file !== 'README.md');
  return files.flatMap((file) => casesIn(file, readFileSync(caseFile(file), 'utf8')));
}

function casesIn(file: string, text: string): Case[] {
  const cases: (Case & { exchanges: Exchange[] })[] = [];
  const opening: Exchange[] = [];
  let configuration = '';
  let filters = '';
  for (const [, title, kind = '', content = ''] of text.matchAll(PART)) {
    if (title !== undefined) cases.push({ file, title, configuration, filters, opening: opening[0], exchanges: [] });
    else if (kind === 'configuration') configuration = content;
    else if (kind === 'filters') filters = content;
    else put(cases.at(-1)?.exchanges ?? opening, kind, content.slice(0, -1));
  }
  return cases;
}

function put(exchanges: Exchange[], kind: string, content: string): void {
  if (kind === 'request') exchanges.push(new Map());
  const exchange = exchanges.at(-1);
  if (exchange === undefined || exchange.has(kind))
    throw new Error(`a second block of ${kind}, or one without a request`);
  exchange.set(kind, content);
}
