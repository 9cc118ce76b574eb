// The callbacks of proxy-wasm ABI 0.2.1, one line each: who asks, and which room answers.
import { scratch } from './bytes/arena';
import { hasRoom } from './bytes/room';
import './host/abort';
import { begin, close, end } from './host/callback';
import { onCalloutResponse } from './host/callout-answers';
import * as request from './host/request';
import { dropPending } from './host/callouts';
import { onQueueReady, onTick } from './host/modes/evidence';
import * as holder from './host/modes/holder';
import * as response from './host/response';
import { writeTelemetry } from './host/telemetry';
import { onlyHolds } from './host/role';
import { configure, forget, roleIn } from './host/roots';
import { endAbandoned } from './host/session-endings';
import { connectPorts } from './host/shared';
import { Action } from './host/status';
import { openStream, Stream, streamOf } from './host/streams';

connectPorts();

/** What a host hands over in ordinary times, headers among it, has its place in any case. */
const SMALL: usize = 256 << 10;

export function proxy_abi_version_0_2_1(): void {}

/** The host takes 0 for no memory, and its call fails. */
export function proxy_on_memory_allocate(size: usize): usize {
  return size <= SMALL || hasRoom(size as u64) ? scratch.allocate(size) : 0;
}

export function proxy_on_vm_start(root: u32, size: u32): u32 {
  return 1;
}

export function proxy_on_configure(root: u32, size: u32): u32 {
  begin();
  const accepted = configure(root, size);
  end();
  return accepted ? 1 : 0;
}

export function proxy_on_context_create(id: u32, root: u32): void {
  if (root !== 0) openStream(id, root, roleIn(root));
}

export function proxy_on_request_headers(id: u32, count: u32, ended: u32): Action {
  begin();
  const stream = streamOf(id);
  let action: Action = Action.Continue;
  if (stream !== null) {
    action = isHolder(stream) ? holder.onRequestHeaders(stream) : request.onRequestHeaders(stream, ended !== 0);
  }
  end();
  return action;
}

export function proxy_on_request_body(id: u32, size: u32, ended: u32): Action {
  begin();
  const stream = streamOf(id);
  let action: Action = Action.Continue;
  if (stream !== null) {
    action = isHolder(stream) ? holder.onRequestBody(stream, size) : request.onRequestBody(stream, size, ended !== 0);
  }
  end();
  return action;
}

export function proxy_on_request_trailers(id: u32, count: u32): Action {
  begin();
  const stream = streamOf(id);
  const action = stream === null ? Action.Continue : request.onRequestTrailers(stream);
  end();
  return action;
}

export function proxy_on_response_headers(id: u32, count: u32, ended: u32): Action {
  begin();
  const stream = streamOf(id);
  const action = stream === null ? Action.Continue : response.onResponseHeaders(stream, ended !== 0);
  end();
  return action;
}

export function proxy_on_response_body(id: u32, size: u32, ended: u32): Action {
  const stream = streamOf(id);
  if (stream === null) return Action.Continue;
  begin();
  const action = isHolder(stream)
    ? holder.onResponseBody(stream, size, ended !== 0)
    : response.onResponseBody(stream, size, ended !== 0);
  end();
  return action;
}

export function proxy_on_response_trailers(id: u32, count: u32): Action {
  begin();
  const stream = streamOf(id);
  let action: Action = Action.Continue;
  if (stream !== null)
    action = isHolder(stream) ? holder.onResponseTrailers(stream) : response.onResponseTrailers(stream);
  end();
  return action;
}

export function proxy_on_http_call_response(root: u32, token: u32, headers: u32, size: u32, trailers: u32): void {
  begin();
  onCalloutResponse(token, headers, size);
  end();
}

export function proxy_on_queue_ready(root: u32, token: u32): void {
  begin();
  onQueueReady(root, token);
  end();
}

export function proxy_on_tick(root: u32): void {
  begin();
  onTick(root);
  end();
}

export function proxy_on_log(id: u32): void {
  begin();
  const stream = streamOf(id);
  if (stream !== null) writeTelemetry(stream);
  end();
}

export function proxy_on_delete(id: u32): void {
  if (forget(id)) {
    dropPending(id);
    return;
  }
  const stream = streamOf(id);
  if (stream === null) return;
  begin();
  endAbandoned(stream);
  close(stream);
  end();
}

function isHolder(stream: Stream): bool {
  return onlyHolds(stream.role);
}
