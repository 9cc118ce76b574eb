import { CLOSING_BRACE, CLOSING_BRACKET, COLON, COMMA, DOT, OPENING_BRACE, OPENING_BRACKET } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { Span, first, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { folded } from '../json/folded';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Audit } from '../model/audit';
import { NameSet } from '../model/name-set';
import { Exchange } from './exchange';

/** The arguments of a call as the record of calls shows them: what is secret is left out, at any depth, and the end is. */
const ARGUMENTS = literal('arguments');
const MASKED = literal('"***"');
/** Bytes of UTF-8 that go on with a character. */
const CONTINUES: u32 = 0x80;

/** Keeps them, where they are asked for and the call has come whole. */
export function keepArguments(exchange: Exchange, audit: Audit): void {
  const message = exchange.message;
  if (audit.argumentBytes === 0 || !message.whole) return;
  const params = message.envelope.text(message.body, message.envelope.params);
  const args = member(params, ARGUMENTS, scratch);
  if (args !== NONE) exchange.auditedArguments = exchange.arena.copy(shownArguments(args, audit));
}

/** @param args JSON */
export function shownArguments(args: Span, audit: Audit): Span {
  const most = audit.argumentBytes as i32;
  const shown = newWriter(scratch, 256);
  writeMasked(shown, args, audit.mask, most);
  if (shown.size <= most) return shown.written;
  const cut = newWriter(scratch, (most as usize) + 3).bytes(first(shown.written, wholeCharacters(shown.written, most)));
  return cut.byte(DOT).byte(DOT).byte(DOT).written;
}

/** Nothing is written of what comes behind the limit. Nested no deeper than the scanner reads. */
function writeMasked(shown: Writer, value: Span, mask: NameSet, most: i32): void {
  const kind = kindOf(value);
  if (kind !== Kind.Object && kind !== Kind.Array) {
    // One byte more than may be shown says that there is more.
    shown.bytes(length(value) > most ? first(value, (most as u32) + 1) : value);
    return;
  }
  const isObject = kind === Kind.Object;
  shown.byte(isObject ? OPENING_BRACE : OPENING_BRACKET);
  let isFirst = true;
  for (const walk = walkThrough(value, scratch); shown.size <= most && walk.next();) {
    if (!isFirst) shown.byte(COMMA);
    isFirst = false;
    if (isObject) shown.bytes(walk.name).byte(COLON);
    if (isObject && isMasked(walk.name, mask)) shown.bytes(MASKED);
    else writeMasked(shown, walk.value, mask, most);
  }
  shown.byte(isObject ? CLOSING_BRACE : CLOSING_BRACKET);
}

/** Names that are no text may be anything. */
function isMasked(token: Span, mask: NameSet): bool {
  const name = textOf(token, scratch);
  return name === NONE || mask.has(folded(name, scratch));
}

function wholeCharacters(text: Span, most: i32): u32 {
  let end = pointer(text) + (most as usize);
  while (end > pointer(text) && end < limit(text) && (load<u8>(end) & 0xc0) === CONTINUES) end--;
  return (end - pointer(text)) as u32;
}
