import { scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, fingerprint, length, literal, pointer, span } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { KEY_SIZE } from '../crypto/aead';
import { hmacSha256 } from '../crypto/sha256';
import { Reason } from '../mcp/errors';
import * as header from '../mcp/headers';
import { Method, MethodKind, methodRow } from '../mcp/methods';
import { Noun } from '../mcp/nouns';
import { Quota } from '../model/quota';
import { random } from '../ports';
import { takeRequest } from '../session/budget-slots';
import { endLease, takeLease } from '../session/call-leases';
import { Exchange } from './exchange';

/** Budgets of requests: whether there is one left for this one, which is counted once. */
const SECOND: u64 = 1_000_000_000;
const PURPOSE = literal('sluice budget');
const A_SECOND = literal('1');
const EVERYBODY = literal('all callers together');
const SUBJECT = literal('this caller');
const SERVER = literal(', server ');
const TOOL = literal(', tool ');

/** False: one of them is used up, and `plan.reply` says so. Its target is known, but for `initialize`. */
export function isWithinQuotas(exchange: Exchange): bool {
  const quotas = exchange.gateway.quotas;
  if (quotas === null || exchange.isCounted) return true;
  exchange.isCounted = true;
  return takeAll(exchange, quotas);
}

function takeAll(exchange: Exchange, quotas: List): bool {
  const kind = methodRow(exchange.message.method).kind;
  if (kind === MethodKind.Ref) return true;
  for (let i = 0; i < quotas.count; i++) {
    const quota = changetype<Quota>(quotas.at(i) as usize);
    if (!counts(exchange, quota, kind)) continue;
    if (quota.concurrent > 0) {
      if (takesLease(exchange, quota)) continue;
      exchange.refuse(Reason.TooManyCalls, whose(exchange, quota));
      exchange.plan.reply.headers.add(header.RETRY_AFTER, A_SECOND);
      return false;
    }
    const wait = takeRequest(keyOf(exchange, quota), quota.pace, quota.interval, exchange.now, scratch);
    if (wait === 0) continue;
    exchange.refuse(Reason.QuotaExceeded, whose(exchange, quota));
    const seconds = newWriter(exchange.arena, 16).decimal((wait + SECOND - 1) / SECOND).written;
    exchange.plan.reply.headers.add(header.RETRY_AFTER, seconds);
    return false;
  }
  return true;
}

/** `initialize` and `search_tools` are about no server: they count where neither a server nor a tool is asked for. */
function counts(exchange: Exchange, quota: Quota, kind: MethodKind): bool {
  if (quota.concurrent > 0 && exchange.message.method !== Method.ToolsCall) return false;
  if (kind === MethodKind.Open || !exchange.isAimed) return !quota.perServer && !quota.perTool;
  return !quota.perTool || exchange.noun.noun === Noun.Tools;
}

/** Whether one call more may be under way; it gives its lease back with `endLeases`. */
function takesLease(exchange: Exchange, quota: Quota): bool {
  const key = keyOf(exchange, quota);
  const id = load<u64>(pointer(random(8, scratch)));
  if (!takeLease(key, id, quota.concurrent, exchange.now, exchange.now + quota.lease, scratch)) return false;
  if (exchange.leases === null) exchange.leases = newList(exchange.arena);
  exchange.leases!.push(key);
  exchange.leases!.push(id);
  return true;
}

/** The call is over, or goes nowhere. */
export function endLeases(exchange: Exchange): void {
  const leases = exchange.leases;
  if (leases === null) return;
  for (let i = 0; i < leases.count; i += 2) endLease(leases.at(i), leases.at(i + 1), exchange.now, scratch);
  exchange.leases = null;
}

/** Under the session key, so that nobody can look for two that share a place. */
function keyOf(exchange: Exchange, quota: Quota): u64 {
  const message = newWriter(scratch, 256).bytes(PURPOSE).u64(quota.pace).u64(quota.interval).u32(quota.concurrent);
  message.u8((quota.perSubject ? 1 : 0) | (quota.perServer ? 2 : 0) | (quota.perTool ? 4 : 0));
  addPart(message, exchange.gateway.name);
  if (quota.perSubject) addPart(message, subjectOf(exchange));
  if (quota.perServer || quota.perTool) addPart(message, exchange.target.server.name);
  if (quota.perTool) addPart(message, exchange.target.name);
  return fingerprint(hmacSha256(span(exchange.gateway.keys.sealing.bytes, KEY_SIZE), message.written, scratch));
}

/** Each with its length: no two of them can be taken for two others. */
function addPart(message: Writer, part: Span): void {
  message.u32(length(part) as u32).bytes(part);
}

/** Who asks; where nobody is known to, the address that the connection comes from. */
function subjectOf(exchange: Exchange): Span {
  const identity = exchange.caller.identity;
  return length(identity) > 0 ? identity : exchange.caller.address;
}

function whose(exchange: Exchange, quota: Quota): Span {
  const text = newWriter(scratch, 128).bytes(quota.perSubject ? SUBJECT : EVERYBODY);
  if (quota.perServer || quota.perTool) text.bytes(SERVER).bytes(exchange.target.server.name);
  if (quota.perTool) text.bytes(TOOL).bytes(exchange.name);
  return text.written;
}
