import { scratch } from '../bytes/arena';
import { Span, between, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { Member, memberOf } from '../mcp/members';
import { Exchange } from './exchange';
import { Lifetime, Message, newMessage } from './message';

/**
 * A call of `call_tool`, which becomes the call of the tool that its arguments name:
 *
 *     "params":{"name":"call_tool","arguments":{"name":"weather_get","arguments":{"city":"Bern"}},"_meta":…}
 *     "params":{"name":"weather_get","arguments":{"city":"Bern"},"_meta":…}
 *
 * Every other byte stays. From here on it is as if the client had sent that, for rules, budgets, records, headers and the
 * server.
 */
const ARGUMENTS = literal('arguments');
const NO_ARGUMENTS = literal('{}');
const NO_OBJECT = literal('call_tool takes an object with the name of a tool, and its arguments');
const NO_NAME = literal('name must be the name of a tool, as search_tools gave it');
const BAD_ARGUMENTS = literal('arguments must be an object');
const UNKNOWN = literal('call_tool takes name and arguments, and nothing else');
const TWICE = literal('the arguments of call_tool name a routing member twice');
const DISGUISED = literal('the arguments of call_tool have a member that some servers would read as a routing member');

/** What stands in the arguments: two values, as they were written. */
let innerName: Span = NONE;
let innerArguments: Span = NONE;

/** Puts the inner call in the place of the message, which is here whole. False: `plan.reply` says why not. */
export function unwrapCall(exchange: Exchange): bool {
  const message = exchange.message;
  const envelope = message.envelope;
  const body = message.body;
  const outer = member(envelope.text(body, envelope.params), ARGUMENTS, scratch);
  if (outer === NONE || kindOf(outer) !== Kind.Object) return refuse(exchange, Reason.InvalidArguments, NO_OBJECT);
  if (!readInner(exchange, outer)) return false;
  const inner = newMessage(exchange.arena);
  inner.body = rewritten(exchange, envelope.keyIn(body), outer);
  inner.envelope.read(inner.body);
  inner.envelope.end();
  if (inner.envelope.problem !== Reason.None) {
    return refuse(exchange, inner.envelope.problem, inner.envelope.detail);
  }
  take(message, inner);
  exchange.message = inner;
  return true;
}

function readInner(exchange: Exchange, outer: Span): bool {
  innerName = NONE;
  innerArguments = NONE;
  for (const walk = walkThrough(outer, scratch); walk.next();) {
    const key = walk.key(scratch);
    const found = key === NONE ? Member.Other : memberOf(key);
    if (found === Member.Disguised) return refuse(exchange, Reason.ParseError, DISGUISED);
    if (found !== Member.Name && found !== Member.Arguments) return refuse(exchange, Reason.InvalidArguments, UNKNOWN);
    if ((found === Member.Name ? innerName : innerArguments) !== NONE)
      return refuse(exchange, Reason.ParseError, TWICE);
    if (found === Member.Name) innerName = walk.value;
    else innerArguments = walk.value;
  }
  if (innerName === NONE || kindOf(innerName) !== Kind.String || textOf(innerName, scratch) === NONE) {
    return refuse(exchange, Reason.InvalidArguments, NO_NAME);
  }
  // Some libraries write what is absent so.
  if (innerArguments === NONE || kindOf(innerArguments) === Kind.Null) innerArguments = NO_ARGUMENTS;
  return kindOf(innerArguments) === Kind.Object || refuse(exchange, Reason.InvalidArguments, BAD_ARGUMENTS);
}

/** @param name the token of the outer name. @param outer the outer arguments: both stand in the body, in any order */
function rewritten(exchange: Exchange, name: Span, outer: Span): Span {
  const body = exchange.message.body;
  const isNameFirst = pointer(name) < pointer(outer);
  const first = isNameFirst ? name : outer;
  const second = isNameFirst ? outer : name;
  return newWriter(exchange.arena, (length(body) + length(NO_ARGUMENTS)) as usize)
    .bytes(between(pointer(body), pointer(first)))
    .bytes(isNameFirst ? innerName : innerArguments)
    .bytes(between(limit(first), pointer(second)))
    .bytes(isNameFirst ? innerArguments : innerName)
    .bytes(between(limit(second), limit(body))).written;
}

/** What is known of the message, and stays. */
function take(message: Message, inner: Message): void {
  inner.whole = true;
  inner.method = message.method;
  inner.era = message.era;
  inner.size = message.size;
  inner.passed = message.passed;
  inner.canHoldBack = message.canHoldBack;
  inner.lifetime = Lifetime.Stream;
}

function refuse(exchange: Exchange, reason: Reason, detail: Span): bool {
  exchange.refuse(reason, detail);
  return false;
}
