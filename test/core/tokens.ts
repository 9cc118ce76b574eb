/** A tokenizer of valid JSON that shares nothing with the scanner: a regular expression and a stack. */

export interface Token {
  kind: '{' | '}' | '[' | ']' | 'key' | 'string' | 'number' | 'word';
  /** In bytes. */
  start: number;
  finish: number;
  /** Containers that are open behind the token. */
  depth: number;
  /** Unescaped, of a key. */
  name?: Uint8Array;
}

const LEXEME = /[ \n\r\t]*("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|[a-z]+|[{}[\],:])/gy;

export function tokensIn(text: string): Token[] {
  const tokens: Token[] = [];
  const open: string[] = [];
  let atKey = false;
  let at = 0;
  let offset = 0;
  for (const match of text.matchAll(LEXEME)) {
    const lexeme = match[1] ?? '';
    const start = offset + Buffer.byteLength(match[0]) - Buffer.byteLength(lexeme);
    offset += Buffer.byteLength(match[0]);
    at += match[0].length;
    const add = (kind: Token['kind'], name?: Uint8Array): void => {
      tokens.push({ kind, start, finish: offset, depth: open.length, ...(name && { name }) });
    };
    const first = lexeme.charAt(0);
    if (first === '{' || first === '[') {
      open.push(first);
      add(first);
    } else if (first === '}' || first === ']') {
      open.pop();
      add(first);
    } else if (first === '"') {
      if (atKey) add('key', unescaped(lexeme.slice(1, -1)));
      else add('string');
    } else if (/[-0-9]/.test(first)) add('number');
    else if (/[a-z]/.test(first)) add('word');
    atKey = first === '{' || (first === ',' && open.at(-1) === '{');
  }
  if (text.slice(at).trim() !== '') throw new Error(`no JSON from ${at} on: ${text}`);
  return tokens;
}

/** Each `\uXXXX` by itself, so that half a surrogate pair is three bytes, and a pair six. */
function unescaped(inside: string): Uint8Array {
  const pieces = inside.match(/\\u[0-9a-fA-F]{4}|\\.|[^\\]+/g) ?? [];
  return new Uint8Array(Buffer.concat(pieces.map(unescapedPiece)));
}

function unescapedPiece(piece: string): Uint8Array {
  const unit = piece.startsWith('\\u') ? parseInt(piece.slice(2), 16) : 0;
  if (unit >= 0xd800 && unit <= 0xdfff) return Uint8Array.of(0xed, 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  return Buffer.from(JSON.parse(`"${piece}"`) as string);
}
