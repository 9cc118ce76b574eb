// A module that does in each callback what its script says, and tells the host's log what it was told: see ../cases/README.md.
import { Actor, actors, callers, callNumbers, peers, Root, roots } from './actor';
import { proxy_dequeue_shared_queue } from './env';
import { buffer, headerText, out, property } from './host';
import { perform } from './operations';
import { Script } from './script';
import { bytesOf, textOf } from './text';
import { OUT_DATA, OUT_LENGTH } from '../../../../filter/host/status';

const CASE = bytesOf('x-case');
const SCRIPT = bytesOf('x-probe');
const ROOT_ID = bytesOf('plugin_root_id');
const CONFIGURATION = 7;

/** Where AssemblyScript ends on a failed assertion. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}

export function proxy_on_context_create(id: u32, rootId: u32): void {
  if (rootId === 0) {
    const root = new Root(id);
    if (property(ROOT_ID) === 0) root.name = textOf(out());
    roots.set(id, root);
    return;
  }
  const root = roots.get(rootId);
  actors.set(id, new Actor(id, root, root.name));
}

/** The plugin configuration is read here too, although it is not to be had yet: its absence is a result as any other. */
export function proxy_on_vm_start(id: u32, size: u32): u32 {
  return 1;
}

export function proxy_on_configure(id: u32, size: u32): u32 {
  const root = roots.get(id);
  root.registerQueue();
  const text = buffer(CONFIGURATION, 0, size) === 0 ? textOf(out()) : '';
  const end = text.indexOf('\n');
  root.tag = end < 0 ? '' : text.slice(0, end);
  root.script = new Script(text.slice(end + 1));
  if (root.tag === '') return 1;
  root.say(`${root.name} configure size=${size}`);
  return perform(root, root.script.section(root.name, 'configure', 1, false)) === 0 ? 1 : 0;
}

/** Runs a callback of a stream, or one that a root received for it. */
function call(actor: Actor, callback: string, what: string, end: bool): i32 {
  actor.say(`${actor.name} ${callback}${what}`);
  const section = actor.script.section(actor.name, callback, actor.count(callback), end);
  return perform(actor, section);
}

/** The stream, once the headers that name its case are there. */
function streamOf(id: u32): Actor {
  const actor = actors.get(id);
  if (actor.tag === '') {
    actor.tag = headerText(0, CASE);
    const own = headerText(0, SCRIPT);
    const root = actor.root;
    actor.script = own === '' && root !== null ? root.script : new Script(own);
    peers.set(`${actor.tag}/${actor.name}`, id);
  }
  return actor;
}

export function proxy_on_request_headers(id: u32, count: u32, end: u32): i32 {
  return call(streamOf(id), 'headers', ` end=${end}`, end !== 0);
}

export function proxy_on_request_body(id: u32, size: u32, end: u32): i32 {
  return call(streamOf(id), 'body', ` size=${size} end=${end}`, end !== 0);
}

export function proxy_on_request_trailers(id: u32, count: u32): i32 {
  return call(streamOf(id), 'trailers', ` count=${count}`, true);
}

export function proxy_on_response_headers(id: u32, count: u32, end: u32): i32 {
  return call(streamOf(id), 'response-headers', ` end=${end}`, end !== 0);
}

export function proxy_on_response_body(id: u32, size: u32, end: u32): i32 {
  return call(streamOf(id), 'response-body', ` size=${size} end=${end}`, end !== 0);
}

export function proxy_on_response_trailers(id: u32, count: u32): i32 {
  return call(streamOf(id), 'response-trailers', ` count=${count}`, true);
}

export function proxy_on_http_call_response(root: u32, token: u32, headers: u32, size: u32, trailers: u32): void {
  const what = ` ${callNumbers.get(token)} headers=${headers} size=${size} trailers=${trailers}`;
  call(callers.get(token), 'call', what, false);
}

export function proxy_on_queue_ready(id: u32, token: u32): void {
  const root = roots.get(id);
  if (token !== root.queue) {
    call(root, 'ready', '', false);
    return;
  }
  while (proxy_dequeue_shared_queue(token, OUT_DATA, OUT_LENGTH) === 0) {
    call(actors.get(load<u32>(load<usize>(OUT_DATA))), 'queue', '', false);
  }
}

export function proxy_on_tick(id: u32): void {
  call(roots.get(id), 'tick', '', false);
}

export function proxy_on_log(id: u32): void {
  if (actors.has(id)) call(streamOf(id), 'log', '', false);
}

/** 1: there is nothing to wait for. */
export function proxy_on_done(id: u32): u32 {
  if (!actors.has(id)) return 1;
  return call(streamOf(id), 'done', '', false) === 0 ? 1 : 0;
}

/** The stream stays known: what is still to come for it, comes. */
export function proxy_on_delete(id: u32): void {
  if (actors.has(id)) call(streamOf(id), 'delete', '', false);
}
