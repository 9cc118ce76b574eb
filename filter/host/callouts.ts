import { ZERO } from '../bytes/ascii';
import { newTable, Table } from '../bytes/table';
import { headerIn } from '../bytes/pairs';
import { scratch } from '../bytes/arena';
import { Span, pointer, length, limit, NONE } from '../bytes/span';
import { make } from '../bytes/arena';
import { Answer, Ending } from '../upstream/answer';
import { Callout } from '../upstream/callout';
import { UpstreamCall } from '../upstream/call';
import { proxy_http_call } from '../env';
import * as header from '../mcp/headers';
import { giveBack } from './budget';
import { read } from './buffers';
import { now } from './clock';
import { pairsOf } from './headers';
import { discardEnding, SessionEnding } from './session-endings';
import { Buffer, HeaderMap, Status } from './status';

/** A callout under way: whose it is, and since when. Outlives its stream, as the host calls back even for a dead one. */
@unmanaged
export class Pending {
  root: u32;
  stream: u32;
  /** Null: nobody waits for the answer. Its memory is the stream's. */
  call: UpstreamCall | null;
  /** Bytes that it has taken of the worker's budget. */
  size: u32;
  /** Nanoseconds since 1970. */
  sentAt: u64;
  /** Nanoseconds since 1970 from which on a reset means that its time was up. */
  deadline: u64;
  /** Where `initialize` lost its stream, what ends the session that it may begin; else null. */
  ending: SessionEnding | null;
  /** It asks for the catalog of its root, for no request. */
  isForCatalog: bool;
}

const pending: Table = newTable();
const OUT_TOKEN = memory.data(4, 8);

/**
 * Sends it, or says why the host did not: an Ending other than Response.
 * @param timeout milliseconds, not 0
 * @param call whose message it is; null: nobody waits for the answer
 */
export function send(callout: Callout, timeout: u32, root: u32, stream: u32, call: UpstreamCall | null): Ending {
  const cluster = callout.cluster;
  const headers = callout.headers.packed();
  const body = callout.body;
  const status = proxy_http_call(
    pointer(cluster),
    length(cluster) as usize,
    pointer(headers),
    length(headers) as usize,
    pointer(body),
    length(body) as usize,
    0,
    0,
    timeout as i32,
    OUT_TOKEN,
  );
  // A cluster without endpoints fails at once, and no callback comes.
  if (status !== Status.Ok) return status === Status.BadArgument ? Ending.NoCluster : Ending.NoHost;
  const entry = changetype<Pending>(heap.alloc(offsetof<Pending>()));
  entry.root = root;
  entry.stream = stream;
  entry.call = call;
  entry.size = call === null ? 0 : callout.size;
  entry.sentAt = now();
  // The host's timer counts from when its event loop last looked at the clock, which can be a while ago: it comes early.
  entry.deadline = entry.sentAt + (timeout as u64) * 900_000;
  entry.ending = null;
  entry.isForCatalog = false;
  const token = load<u32>(OUT_TOKEN);
  if (call !== null) call.token = token;
  pending.set(token, changetype<usize>(entry));
  return Ending.Response;
}

/** The same for the catalog of a root. */
export function sendForCatalog(callout: Callout, timeout: u32, root: u32): Ending {
  const ending = send(callout, timeout, root, 0, null);
  if (ending === Ending.Response) findPending(load<u32>(OUT_TOKEN))!.isForCatalog = true;
  return ending;
}

/** The callout that this answer belongs to; the caller frees it. */
export function takePending(token: u32): Pending | null {
  return changetype<Pending | null>(pending.take(token));
}

/** Forgets those of a root context that is gone, with all its streams: the host has cancelled its callouts, and calls nobody back. */
export function dropPending(root: u32): void {
  for (let place: u32 = 0; place < pending.places;) {
    const token = pending.keyAt(place);
    if (token === 0 || findPending(token)!.root !== root) place++;
    else drop(takePending(token)!);
  }
}

function drop(entry: Pending): void {
  giveBack(entry.size as u64);
  const ending = entry.ending;
  if (ending !== null) discardEnding(ending);
  heap.free(changetype<usize>(entry));
}

export function findPending(token: u32): Pending | null {
  return changetype<Pending | null>(pending.get(token));
}

/** What the host has for the callback that runs now. */
export function readAnswer(entry: Pending, headerCount: i32, bodySize: i32): Answer {
  const answer = make<Answer>(scratch);
  if (headerCount === 0) {
    // The host's own status is sticky and says nothing: no headers is the one sign of a reset.
    answer.ending = now() >= entry.deadline ? Ending.Unfinished : Ending.Broken;
    return answer;
  }
  const headers = pairsOf(HeaderMap.CalloutResponse);
  answer.ending = Ending.Response;
  answer.headers = headers;
  answer.status = statusOf(headerIn(headers, header.STATUS, scratch));
  answer.contentType = headerIn(headers, header.CONTENT_TYPE, scratch);
  answer.contentEncoding = headerIn(headers, header.CONTENT_ENCODING, scratch);
  answer.sessionId = headerIn(headers, header.SESSION_ID, scratch);
  answer.endpoint = headerIn(headers, header.ENDPOINT, scratch);
  answer.retryAfter = headerIn(headers, header.RETRY_AFTER, scratch);
  if (bodySize > 0) answer.body = read(Buffer.CalloutResponse, 0, bodySize as usize);
  return answer;
}

/** 0 where it is no number. */
export function statusOf(text: Span): u32 {
  if (text === NONE) return 0;
  let status: u32 = 0;
  for (let at = pointer(text); at < limit(text); at++) {
    const digit = (load<u8>(at) as u32) - ZERO;
    if (digit > 9 || status > 999) return 0;
    status = status * 10 + digit;
  }
  return status;
}
