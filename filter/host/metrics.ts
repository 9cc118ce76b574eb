import { scratch } from '../bytes/arena';
import { Span, length, literal, pointer, NONE } from '../bytes/span';
import { newTable, Table } from '../bytes/table';
import { newWriter, Writer } from '../bytes/writer';
import { errorRow, firstOfName, LAST_REASON, Reason } from '../mcp/errors';
import { MethodLabel, methodLabelText } from '../mcp/method-label';
import { Ended, endedText } from '../mcp/outcomes';
import { proxy_define_metric, proxy_increment_metric, proxy_record_metric } from '../env';
import { gatewayText, serverText, UNKNOWN } from './labels';
import { Status } from './status';

/**
 * Envoy's stats have no labels: they stand in the name, `sluice_upstream_ms.server=weather.end`, and the `stats_tags` of
 * the bootstrap cut them out. Each combination is defined when it first occurs, its id kept for the life of the VM; what
 * is left per request are increments. Labels come from our tables and from configured names, never from a request, so
 * no client can fill Envoy's memory with stats.
 *
 *     key:  │ family (3 bits) │ label of server and gateway (14) │ method (6) │ outcome, reason or event (9) │
 */
const enum Family {
  Requests = 1,
  UpstreamMs,
  Sessions,
  ListCache,
  Config,
  Errors,
  Forwards,
}

const enum Type {
  Counter = 0,
  Gauge = 1,
  Histogram = 2,
}

export const enum SessionEvent {
  Opened,
  Ended,
  /** Presented, and not one that this gateway knows, for this caller. */
  Refused,
}

export const enum AuditResult {
  Written,
  /** More than the limit allows. */
  Dropped,
}

export const enum CacheResult {
  Hit,
  Miss,
}

/** How a request that may go on gets to its server. */
export const enum Way {
  /** As it is, by a route of Envoy's. */
  Route,
  /** As a message of our own, its answer as a whole (host mode `pair`, in two VMs). */
  Callout,
}

const REQUESTS = literal('sluice_requests_total');
const UPSTREAM_MS = literal('sluice_upstream_ms');
const SESSIONS = literal('sluice_sessions_total');
const LIST_CACHE = literal('sluice_list_cache_total');
const CONFIG = literal('sluice_config');
const ERRORS = literal('sluice_errors_total');
const FORWARDS = literal('sluice_forwards_total');
const AUDIT = literal('sluice_audit_total');

const METHOD = literal('.method=');
const SERVER = literal('.server=');
const OUTCOME = literal('.outcome=');
const EVENT = literal('.event=');
const RESULT = literal('.result=');
const REASON = literal('.reason=');
const WAY = literal('.way=');
/** Where the gateway has a name of its own. */
const GATEWAY = literal('.gateway=');
const END = literal('.end');

const OPENED = literal('opened');
const ENDED = literal('ended');
const REFUSED = literal('refused');
const HIT = literal('hit');
const MISS = literal('miss');
const WRITTEN = literal('written');
const DROPPED = literal('dropped');
const ACCEPTED = literal('accepted');
const ROUTE = literal('route');
const CALLOUT = literal('callout');

const NANOSECONDS: u64 = 1_000_000;

/** By key: the host's id and one; `UNDEFINED` where it gave none. */
const ids: Table = newTable();
const UNDEFINED: usize = 0xffffffff;
const OUT_ID = memory.data(4, 8);

/** @param label of the server, or of the gateway where it concerns none or several */
export function countRequest(method: MethodLabel, label: u32, ended: Ended): void {
  const key = keyOf(Family.Requests, label, method, ended > LAST_REASON ? ended : firstOfName(ended));
  let id = ids.get(key);
  if (id === 0) {
    const name = newWriter(scratch, 128).bytes(REQUESTS).bytes(METHOD).bytes(methodLabelText(method));
    id = define(key, Type.Counter, name.bytes(SERVER).bytes(serverText(label)).bytes(OUTCOME).bytes(endedText(ended)));
  }
  increment(id);
}

/**
 * How long a server took, from sending to the first headers of its response; of a callout, to its end.
 * @param since nanoseconds since 1970; later than `now` where the clock was set back
 */
export function observeUpstream(label: u32, since: u64, now: u64): void {
  const key = keyOf(Family.UpstreamMs, label, 0, 0);
  let id = ids.get(key);
  if (id === 0) id = define(key, Type.Histogram, named(UPSTREAM_MS, SERVER, serverText(label)));
  const taken = now - min(since, now);
  if (id !== UNDEFINED) proxy_record_metric((id - 1) as u32, taken / NANOSECONDS);
}

export function countSession(label: u32, event: SessionEvent): void {
  const key = keyOf(Family.Sessions, label, 0, event);
  let id = ids.get(key);
  if (id === 0) {
    const text = event === SessionEvent.Opened ? OPENED : event === SessionEvent.Ended ? ENDED : REFUSED;
    id = define(key, Type.Counter, named(SESSIONS, EVENT, text));
  }
  increment(id);
}

export function countListCache(label: u32, result: CacheResult): void {
  const key = keyOf(Family.ListCache, label, 0, result);
  let id = ids.get(key);
  if (id === 0) {
    const name = named(LIST_CACHE, SERVER, serverText(label)).bytes(RESULT);
    id = define(key, Type.Counter, name.bytes(result === CacheResult.Hit ? HIT : MISS));
  }
  increment(id);
}

export function countError(label: u32, reason: Reason): void {
  const key = keyOf(Family.Errors, label, 0, firstOfName(reason));
  let id = ids.get(key);
  if (id === 0) id = define(key, Type.Counter, named(ERRORS, REASON, errorRow(reason).name));
  increment(id);
}

export function countForward(label: u32, way: Way): void {
  const key = keyOf(Family.Forwards, label, 0, way);
  let id = ids.get(key);
  if (id === 0) id = define(key, Type.Counter, named(FORWARDS, WAY, way === Way.Route ? ROUTE : CALLOUT));
  increment(id);
}

/** A line of the record of calls. All families are taken: it is told from forwards by the place of the method. */
export function countAudit(label: u32, result: AuditResult): void {
  const key = keyOf(Family.Forwards, label, 1, result);
  let id = ids.get(key);
  if (id === 0) {
    id = define(key, Type.Counter, named(AUDIT, RESULT, result === AuditResult.Written ? WRITTEN : DROPPED));
  }
  increment(id);
}

/** 1 for what became of the configuration that came last, 0 for the other: every VM says the same. */
export function showConfig(accepted: bool): void {
  setConfig(ACCEPTED, 0, accepted);
  setConfig(REFUSED, 1, !accepted);
}

/** Under no gateway's name: one that is refused may have none. */
function setConfig(result: Span, index: i32, value: bool): void {
  const key = keyOf(Family.Config, UNKNOWN, 0, index);
  let id = ids.get(key);
  if (id === 0) id = define(key, Type.Gauge, named(CONFIG, RESULT, result));
  if (id !== UNDEFINED) proxy_record_metric((id - 1) as u32, value ? 1 : 0);
}

function keyOf(family: Family, label: u32, method: u32, last: u32): u32 {
  return ((family as u32) << 29) | (label << 15) | (method << 9) | last;
}

function named(family: Span, label: Span, value: Span): Writer {
  return newWriter(scratch, 128).bytes(family).bytes(label).bytes(value);
}

function define(key: u32, type: Type, name: Writer): usize {
  const gateway = gatewayText((key >> 15) & 0x3fff);
  if (gateway !== NONE) name.bytes(GATEWAY).bytes(gateway);
  const text = name.bytes(END).written;
  const status = proxy_define_metric(type, pointer(text), length(text) as usize, OUT_ID);
  const id = status === Status.Ok ? (load<u32>(OUT_ID) as usize) + 1 : UNDEFINED;
  ids.set(key, id);
  return id;
}

function increment(id: usize): void {
  if (id !== UNDEFINED) proxy_increment_metric((id - 1) as u32, 1);
}
