import { scratch } from '../bytes/arena';
import { Span, length, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { isString, textOf } from '../json/text';
import { CallerText, openCallerText, TextKind, writeCallerText } from '../session/caller-text';
import { Exchange } from './exchange';

/**
 * The cursor of a list that is larger than `limits.listBytes`, in the era without sessions: sealed for its caller, so that
 * any replica can go on, for the list that it was given with.
 *
 *     │ noun (1) │ generation of the list (8) │ items that earlier parts had (4) │
 */
const SIZE: i32 = 1 + 8 + 4;

/**
 * Reads the cursor of the request into its conversation, as its body may be gone when the list has come. False: it is none
 * of ours for this caller and this kind of list.
 */
export function takeCursor(exchange: Exchange): bool {
  const message = exchange.message;
  const token = message.envelope.text(message.body, message.envelope.cursor);
  const characters: Span = isString(token) ? textOf(token, scratch) : NONE;
  if (characters === NONE) return false;
  const audience = exchange.caller.audience;
  const text: CallerText | null = openCallerText(TextKind.Cursor, exchange.gateway.keys, audience, characters, scratch);
  if (text === null || length(text.original) !== SIZE) return false;
  const at = pointer(text.original);
  if (load<u8>(at) !== (exchange.noun.noun as u8)) return false;
  exchange.conversation.generation = load<u64>(at, 1);
  exchange.conversation.itemsBefore = load<u32>(at, 9);
  return true;
}

/** @param items before the next part */
export function cursorFor(exchange: Exchange, current: u64, items: u32): Span {
  const plain = newWriter(scratch, SIZE as usize)
    .u8(exchange.noun.noun)
    .u64(current)
    .u32(items).written;
  const cursor = newWriter(exchange.arena, 96);
  writeCallerText(cursor, TextKind.Cursor, exchange.gateway.keys.sealing, exchange.caller.audience, 0, plain);
  return cursor.written;
}
