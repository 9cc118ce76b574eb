import { scratch } from '../../bytes/arena';
import { Span, literal, NONE } from '../../bytes/span';
import { newWriter } from '../../bytes/writer';
import { MOST_OF_LOST } from '../../upstream/lost-session';
import { behindEndpoint, scanHeaders, TRUSTED_HEADERS, trustedHeader } from '../../flow/request';
import { Reason } from '../../mcp/errors';
import * as header from '../../mcp/headers';
import { read, replaceAll, splice } from '../buffers';
import { edit, pairsOf, remove } from '../headers';
import { letGo } from '../held';
import { refuseUnread } from '../local-reply';
import { Level } from '../log';
import { once } from '../once';
import { post } from '../queue';
import { logLevelOf, rootOf } from '../roots';
import { Action, Buffer, HeaderMap } from '../status';
import { arenaOf, Held, Phase, Stream, streamOf } from '../streams';
import { isHeard } from '../upstream-error';
import { deciderMark, markHolderElsewhere } from './marks';

/**
 * Host mode `pair`, the one that holds: it keeps the headers until the decider (pair.ts) resumes it, takes the prefix
 * out of the body as it passes, and knows nothing else. What it finds wrong it ends at the default-deny route.
 */
const EMPTY = literal('');
const NO_DECIDER = literal(
  'no filter with root id (pluginName) sluice and hostMode pair has seen this request before sluice-holder did; it ' +
    'has to stand before it, or failed to load',
);
const ELSEWHERE = literal(
  'the filters of the pair are in two VMs: requests are served by callout and local reply, whole instead of streamed. ' +
    'During an upgrade this passes; else give both the same module, vm_id, configuration and environment of the VM',
);

export function onRequestHeaders(stream: Stream): Action {
  const mark = deciderMark();
  if (mark === null) return onUnmarked(stream);
  const decider = mark.isNear ? streamOf(mark.id) : null;
  if (decider === null) {
    // Another holder, which is in the decider's VM, has let it go already.
    if (isDecided()) return Action.Continue;
    markHolderElsewhere();
    once(stream.root, Level.Warn, ELSEWHERE, logLevelOf(stream.root));
    return Action.HoldAll;
  }
  // A second holder has nothing to hold: the first one let go.
  if (decider.partner !== 0) return Action.Continue;
  decider.partner = stream.id;
  stream.partner = decider.id;
  if (decider.phase !== Phase.Forwarded && decider.phase !== Phase.Streaming) return Action.HoldAll;
  // It was decided on while another filter kept the headers from us.
  const exchange = decider.exchange!;
  edit(HeaderMap.Request, exchange.plan.forward.headers);
  // One that keeps whole bodies adds the length of what it has, which is not the length of what the server gets.
  if (!exchange.request.hasContentLength) remove(HeaderMap.Request, header.CONTENT_LENGTH);
  decider.resumed = true;
  letGo(decider);
  return Action.Continue;
}

/** Whether the headers have what a decider gives them; it has removed the client's own. */
function isDecided(): bool {
  return (scanHeaders(pairsOf(HeaderMap.Request), scratch).forged & 1) !== 0;
}

/** The part of the body that its server gets another way: it has passed the decider before that was known. */
export function onRequestBody(stream: Stream, size: u32): Action {
  const decider = streamOf(stream.partner);
  if (decider === null || !decider.resumed) return Action.Continue;
  const target = decider.exchange!.target;
  const passed = stream.passed;
  if (target.replacesBody) {
    replaceAll(Buffer.RequestBody, stream.passedReplaced ? EMPTY : target.body);
    stream.passedReplaced = true;
    return Action.Continue;
  }
  if (passed >= target.cutTo) return Action.Continue;
  stream.passed = passed + size;
  const from = max(target.cutFrom, passed) - passed;
  const to = min(target.cutTo, passed + size) - passed;
  if (from >= to) return Action.Continue;
  // Once, with the part in which it begins.
  const put: Span = passed <= target.cutFrom ? target.put : NONE;
  splice(Buffer.RequestBody, from === 0 ? NONE : read(Buffer.RequestBody, 0, from as usize), from, to, put);
  return Action.Continue;
}

/** A response comes here first. Where the decider holds its headers, it is shown no body: that is read here for it. */
export function onResponseBody(stream: Stream, size: u32, ended: bool): Action {
  const decider = streamOf(stream.partner);
  if (decider === null) return Action.Continue;
  if (decider.held === Held.Reading) readFor(decider, size, ended);
  else stream.passedUnread = true;
  return Action.Continue;
}

export function onResponseTrailers(stream: Stream): Action {
  const decider = streamOf(stream.partner);
  if (decider !== null && decider.held === Held.Reading) tellRead(decider);
  return Action.Continue;
}

/** No more than tells that there is too much of it. */
function readFor(decider: Stream, size: u32, ended: bool): void {
  if (decider.errorBody === null) decider.errorBody = newWriter(arenaOf(decider), 1024);
  const body = decider.errorBody!;
  const more = min(size, MOST_OF_LOST + 1 - (body.size as u32));
  if (more > 0) body.bytes(read(Buffer.ResponseBody, 0, more as usize));
  if (ended || (body.size as u32) > MOST_OF_LOST || isHeard(decider, body.written)) tellRead(decider);
}

/** Its headers can go on, or be replaced, only in a callback of their own. */
function tellRead(decider: Stream): void {
  decider.held = Held.Read;
  post(rootOf(decider.root)!.queue!, decider.id);
}

/**
 * Either nothing that the decider cares for, or there is none. The headers that routes trust are then still what the
 * client sent.
 */
function onUnmarked(stream: Stream): Action {
  const root = rootOf(stream.root);
  if (root === null) return Action.Continue;
  const seen = scanHeaders(pairsOf(HeaderMap.Request), scratch);
  for (let i = 0; i < TRUSTED_HEADERS; i++) {
    if ((seen.forged & (1 << i)) !== 0) remove(HeaderMap.Request, trustedHeader(i));
  }
  if (behindEndpoint(seen.path, root.gateway.endpoint) === NONE) return Action.Continue;
  once(stream.root, Level.Error, NO_DECIDER, root.gateway.logLevel);
  refuseUnread(Reason.HostMode, NO_DECIDER);
  return Action.Pause;
}
