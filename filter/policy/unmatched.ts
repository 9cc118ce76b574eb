import { QUESTION_MARK, QUOTE } from '../bytes/ascii';
import { Arena, scratch } from '../bytes/arena';
import { List } from '../bytes/list';
import { newNameTable, NameTable } from '../bytes/names';
import { Span, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { nearest } from '../bytes/nearest';
import { writeEscaped } from '../json/text';
import { clipped } from '../mcp/header-text';
import { isExact, matches } from '../model/glob';

const SEPARATOR = literal(': ');
const MATCHES_NO = literal(' matches no ');
const DID_YOU_MEAN = literal('; did you mean ');
const MORE = literal(' more match no ');

/** A worker serves nobody else meanwhile: no more lines than are read, no search for likeness in a huge list. */
const MOST_LINES = 20;
const MOST_CANDIDATES = 2000;
/** Bytes of a name in a line. */
const MOST_BYTES = 128;

/**
 * A line for each pattern of a list that matches nothing of what there is.
 * @param subject what has the list, for the beginning of a line
 * @param noun what there is, in the singular. @param names of all, as the patterns are written for them
 * @param lines of Span; each is copied into the arena
 */
export function unmatchedLines(
  subject: Span,
  noun: Span,
  patterns: List,
  names: List,
  lines: List,
  arena: Arena,
): void {
  const table = newNameTable(scratch);
  for (let i = 0; i < names.count; i++) table.put(names.at(i), 1);
  let found = 0;
  for (let i = 0; i < patterns.count; i++) {
    const pattern: Span = patterns.at(i);
    if (matchesAny(pattern, names, table)) continue;
    if (++found <= MOST_LINES) lines.push(lineFor(subject, noun, pattern, names, arena));
  }
  if (found <= MOST_LINES) return;
  const line = beginLine(subject, arena).decimal((found - MOST_LINES) as u64);
  lines.push(line.bytes(MORE).bytes(noun).written);
}

function matchesAny(pattern: Span, names: List, table: NameTable): bool {
  if (isExact(pattern)) return table.get(pattern) !== 0;
  for (let i = 0; i < names.count; i++) if (matches(pattern, names.at(i))) return true;
  return false;
}

function lineFor(subject: Span, noun: Span, pattern: Span, names: List, arena: Arena): Span {
  const line = beginLine(subject, arena);
  writeQuoted(line, pattern);
  line.bytes(MATCHES_NO).bytes(noun);
  const meant = names.count > MOST_CANDIDATES ? NONE : nearest(pattern, names, scratch);
  if (meant === NONE) return line.written;
  writeQuoted(line.bytes(DID_YOU_MEAN), meant);
  return line.byte(QUESTION_MARK).written;
}

function beginLine(subject: Span, arena: Arena): Writer {
  return newWriter(arena, 128).bytes(subject).bytes(SEPARATOR);
}

/** A tool's name is the server's text, and a line of the log must stay one line. */
function writeQuoted(line: Writer, name: Span): void {
  line.byte(QUOTE);
  writeEscaped(line, clipped(name, MOST_BYTES));
  line.byte(QUOTE);
}
