import {
  type CST,
  Composer,
  type Document,
  type DocumentOptions,
  type LineCounter,
  type ParseOptions,
  Parser,
  type SchemaOptions,
} from 'yaml';
import { mostLevels } from './depth.ts';

type Options = ParseOptions & DocumentOptions & SchemaOptions & { readonly lineCounter?: LineCounter };

/**
 * Reads the documents of a text, as `parseAllDocuments` does, which goes one call deeper for each level. The levels are counted
 * before, on what the parser makes.
 * @returns undefined where the text is nested deeper than `mostLevels`
 */
export function composeDocuments(text: string, options: Options): Document.Parsed[] | undefined {
  const tokens = Array.from(new Parser(options.lineCounter?.addNewLine).parse(text));
  if (!hasFewLevels(tokens)) return undefined;
  return Array.from(new Composer(options).compose(tokens));
}

function hasFewLevels(tokens: readonly CST.Token[]): boolean {
  let level = tokens.flatMap(inside); // documents
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels) return false;
    level = level.flatMap(inside);
  }
  return true;
}

function inside(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((part) => part !== undefined && part !== null));
}
