import { CLOSING_BRACE, COLON, COMMA, OPENING_BRACE, QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, between, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { Writer, newWriter } from '../bytes/writer';
import { Kind, kindOf, member, walkThrough } from '../json/reader';

/**
 * What servers can ask of a client (MCP, ClientCapabilities of 2024-11-05 to 2025-11-25), as bits: every session id has
 * them, for servers that join the session later. A row is a member of the nearest row above it that is one level higher.
 */
@unmanaged
class CapabilityRow {
  /** As sealed into session ids: never renumber. */
  bit: u32;
  level: i32;
  name: Span;
  /** Its value is `true`, not an object. */
  isFlag: bool;
}

const ROWS = 16;
const table = memory.data(4 * 16);
/** While the rows are walked: the objects that are open, by level. */
const within = memory.data(8 * 5);

let rowCount: i32 = 0;

function row(bit: u32, level: i32, name: string, isFlag: bool = false): void {
  const at = changetype<CapabilityRow>(heap.alloc(offsetof<CapabilityRow>()));
  at.bit = 1 << bit;
  at.level = level;
  at.name = literal(name);
  at.isFlag = isFlag;
  store<usize>(table + ((rowCount as usize) << 2), changetype<usize>(at));
  rowCount++;
}

// prettier-ignore
{
  row(0, 0, 'roots');
  row(1, 1,   'listChanged', true);
  row(2, 0, 'sampling');
  row(3, 1,   'context');
  row(4, 1,   'tools');
  row(5, 0, 'elicitation');
  row(6, 1,   'form');
  row(7, 1,   'url');
  row(8, 0, 'tasks');
  row(9, 1,   'list');
  row(10, 1,  'cancel');
  row(11, 1,  'requests');
  row(12, 2,    'sampling');
  row(13, 3,      'createMessage');
  row(14, 2,    'elicitation');
  row(15, 3,      'create');
}

/** The client has roots: files that it would tell a server about. */
export const ROOTS: u32 = 1 << 0;
export const SAMPLING: u32 = 1 << 2;
export const ELICITATION: u32 = 1 << 5;
/** It can be asked to open a page. */
export const ELICITATION_URL: u32 = 1 << 7;
/** What a client can be asked for in a call, and what it says of that: all but tasks, and that its roots change. */
export const ASKABLE: u32 = 0b1111_1101;
/** All that is in `tasks`. */
export const TASKS: u32 = 0xff00;

function rowAt(index: i32): CapabilityRow {
  return changetype<CapabilityRow>(load<usize>(table + ((index as usize) << 2)));
}

/** @param declared `params.capabilities` of `initialize`, or NONE */
export function capabilityBits(declared: Span, arena: Arena): u32 {
  let bits: u32 = 0;
  store<Span>(within, declared);
  for (let i = 0; i < ROWS; i++) {
    const at = rowAt(i);
    const value = member(load<Span>(within + ((at.level as usize) << 3)), at.name, arena);
    const isThere = value !== NONE && kindOf(value) === (at.isFlag ? Kind.True : Kind.Object);
    if (isThere) bits |= at.bit;
    // What is inside of an absent object is absent.
    store<Span>(within + (((at.level + 1) as usize) << 3), isThere ? value : NONE);
  }
  return bits;
}

/** The same as an object, as a client would declare it. */
export function writeCapabilities(writer: Writer, bits: u32): Writer {
  writer.byte(OPENING_BRACE);
  let level = 0;
  for (let i = 0; i < ROWS; i++) {
    const at = rowAt(i);
    if ((bits & at.bit) === 0) continue;
    for (; level > at.level; level--) writer.byte(CLOSING_BRACE);
    if (load<u8>(limit(writer.written) - 1) !== OPENING_BRACE) writer.byte(COMMA);
    writer.byte(QUOTE).bytes(at.name).byte(QUOTE).byte(COLON);
    if (at.isFlag) writer.bytes(TRUE);
    else {
      writer.byte(OPENING_BRACE);
      level++;
    }
  }
  for (; level >= 0; level--) writer.byte(CLOSING_BRACE);
  return writer;
}

/**
 * Every other byte of a member as it came, without `tasks` (MCP 2025-11-25): a client has one list of tasks for all that ask it,
 * so servers that share it could read, and cancel, what it does for each other.
 * @param declared an object @returns the same, where it has no `tasks`
 */
export function withoutTasks(declared: Span, arena: Arena): Span {
  if (member(declared, TASKS_NAME, arena) === NONE) return declared;
  const out = newWriter(arena, length(declared) as usize).byte(OPENING_BRACE);
  let isFirst = true;
  for (const members = walkThrough(declared, arena); members.next();) {
    const key = members.key(arena);
    if (key !== NONE && equals(key, TASKS_NAME)) continue;
    if (!isFirst) out.byte(COMMA);
    isFirst = false;
    out.bytes(between(pointer(members.name), limit(members.value)));
  }
  return out.byte(CLOSING_BRACE).written;
}

const TASKS_NAME = literal('tasks');
const TRUE = literal('true');
