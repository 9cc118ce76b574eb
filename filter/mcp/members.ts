import { LOWER_K, LOWER_S, lowerCase } from '../bytes/ascii';
import { Span, equals, pointer, length, literal, span } from '../bytes/span';

/** Members that decide where a message goes, and the two that make it a response. */
export const enum Member {
  Other,
  /** Reads as a routing member to a lax JSON library, but is not one to us. */
  Disguised,
  JsonRpc,
  Method,
  Id,
  Params,
  Name,
  Uri,
  Arguments,
  Ref,
  Meta,
  RequestState,
  TaskId,
  /** From here on: not routing members, a disguise of them fools nobody. */
  Result,
  Error,
  Cursor,
}

const LAST_ROUTING: i32 = Member.TaskId;
const LAST: i32 = Member.Cursor;

const JSONRPC = literal('jsonrpc');
const METHOD = literal('method');
const ID = literal('id');
const PARAMS = literal('params');
const NAME = literal('name');
const URI = literal('uri');
const ARGUMENTS = literal('arguments');
const REF = literal('ref');
const META = literal('_meta');
const REQUEST_STATE = literal('requestState');
const TASK_ID = literal('taskId');
const RESULT = literal('result');
const ERROR = literal('error');
const CURSOR = literal('cursor');
const REQUEST_STATE_FOLDED = literal('requeststate');
const TASK_ID_FOLDED = literal('taskid');

function memberText(member: Member): Span {
  switch (member) {
    case Member.JsonRpc:
      return JSONRPC;
    case Member.Method:
      return METHOD;
    case Member.Id:
      return ID;
    case Member.Params:
      return PARAMS;
    case Member.Name:
      return NAME;
    case Member.Uri:
      return URI;
    case Member.Arguments:
      return ARGUMENTS;
    case Member.Ref:
      return REF;
    case Member.Meta:
      return META;
    case Member.RequestState:
      return REQUEST_STATE;
    case Member.TaskId:
      return TASK_ID;
    case Member.Result:
      return RESULT;
    case Member.Error:
      return ERROR;
    default:
      return CURSOR;
  }
}

/** The same as `fold` has it. */
function foldedText(member: Member): Span {
  if (member === Member.RequestState) return REQUEST_STATE_FOLDED;
  return member === Member.TaskId ? TASK_ID_FOLDED : memberText(member);
}

const FOLDED_CAPACITY: u32 = 16;
const folded = memory.data(16);

/** @param key unescaped; a longer key may be cut (at no less than 32 bytes) */
export function memberOf(key: Span): Member {
  for (let member: i32 = Member.JsonRpc; member <= LAST; member++) {
    if (equals(key, memberText(member))) return member;
  }
  const plain = fold(key);
  for (let member: i32 = Member.JsonRpc; member <= LAST_ROUTING; member++) {
    if (equals(plain, foldedText(member))) return Member.Disguised;
  }
  return Member.Other;
}

/**
 * The key as a lax reader takes it: cut at NUL (C strings), under Unicode simple case folding. Go's encoding/json and
 * others match member names without regard to case, so `Method` and `paramſ` reach them as `method` and `params`
 * (CVE-2026-27896, GHSA-q382-vc8q-7jhj). Only two characters beyond ASCII fold into it: U+017F and U+212A.
 */
function fold(key: Span): Span {
  const from = pointer(key);
  const count = length(key);
  let to: u32 = 0;
  for (let i = 0; i < count && to < FOLDED_CAPACITY; i++) {
    let c = load<u8>(from + (i as usize));
    if (c === 0) break;
    c = lowerCase(c) as u8;
    if (c === 0xc5 && i + 1 < count && load<u8>(from + (i as usize) + 1) === 0xbf) {
      c = LOWER_S;
      i += 1;
    } else if (c === 0xe2 && i + 2 < count && load<u16>(from + (i as usize) + 1) === 0xaa84) {
      c = LOWER_K;
      i += 2;
    }
    store<u8>(folded + (to as usize), c);
    to++;
  }
  return span(folded, to);
}
