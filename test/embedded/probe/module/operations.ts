// The words of a script, each one host call: what it was given stands in the trace as it was written, with its result.
import * as abi from '../../../../filter/env';
import { newArena } from '../../../../filter/bytes/arena';
import { HeaderList, newHeaderList, readPairs } from '../../../../filter/bytes/pairs';
import { length, pointer, Span } from '../../../../filter/bytes/span';
import { OUT_DATA, OUT_LENGTH } from '../../../../filter/host/status';
import { random_get } from '../../../../filter/wasi_snapshot_preview1';
import { Actor, callers, callNumbers, peers } from './actor';
import * as more from './env';
import { buffer, clearOut, header, out, property } from './host';
import { bytesOf, resultName, shown, textOf, unescaped } from './text';

const arena = newArena(64 << 10);
const RESULT = memory.data(8, 8);

const maps = ['request', 'request-trailers', 'response', 'response-trailers', '', '', 'call', 'call-trailers'];
const buffers = ['body', 'response-body', '', '', 'call-body', '', 'vm-configuration', 'configuration'];
const metricTypes = ['counter', 'gauge', 'histogram'];
const streams = ['request', 'response'];

let returned: i32 = 0;
let replyHeaders: HeaderList = newHeaderList(arena);
let lastCas: u32 = 0;
/** CAS numbers are the host's, for all VMs: told from the first one on that this VM finds. */
let casBefore: u32 = U32.MAX_VALUE;
const metrics: Map<string, u32> = new Map();

/** Carries a section out. @returns what the callback returns */
export function perform(actor: Actor, operations: string[]): i32 {
  returned = 0;
  for (let i = 0; i < operations.length; i++) {
    const said = operation(actor, operations[i].split(' '));
    actor.say(`  ${operations[i]}${said === '' ? '' : ` = ${said}`}`);
  }
  return returned;
}

/** @returns the host's result, and what it handed back */
function operation(actor: Actor, words: string[]): string {
  const verb = words[0];
  const a = words.length > 1 ? words[1] : '';
  const b = words.length > 2 ? words[2] : '';
  const c = words.length > 3 ? words[3] : '';
  if (verb === 'return') {
    returned = I32.parseInt(a);
    return '';
  }
  if (verb === 'trap') {
    actor.say('  trap');
    unreachable();
  }
  if (verb === 'get') return withOut(header(numbered(maps, a), bytesOf(b)));
  if (verb === 'replace' || verb === 'add') return edit(verb === 'add', numbered(maps, a), b, rest(words, 3));
  if (verb === 'remove') {
    const name = bytesOf(b);
    return resultName(abi.proxy_remove_header_map_value(numbered(maps, a), pointer(name), length(name) as usize));
  }
  if (verb === 'pairs') return pairs(numbered(maps, a));
  if (verb === 'set-pairs') return setPairs(numbered(maps, a), words);
  if (verb === 'size') return withNumber(more.proxy_get_header_map_size(numbered(maps, a), zeroed()));
  if (verb === 'read') return withOut(buffer(numbered(buffers, a), number(b, 0), number(c, -1)));
  if (verb === 'write') {
    const data = unescaped(rest(words, 4));
    return resultName(
      abi.proxy_set_buffer_bytes(
        numbered(buffers, a),
        number(b, 0),
        number(c, -1),
        pointer(data),
        length(data) as usize,
      ),
    );
  }
  if (verb === 'buffer') return withNumber(more.proxy_get_buffer_status(numbered(buffers, a), zeroed(), OUT_LENGTH));
  if (verb === 'property') return withOut(property(pathOf(a)));
  if (verb === 'set-property') {
    const path = pathOf(a);
    const value = unescaped(rest(words, 2));
    return resultName(
      abi.proxy_set_property(pointer(path), length(path) as usize, pointer(value), length(value) as usize),
    );
  }
  if (verb === 'use') return resultName(abi.proxy_set_effective_context(contextOf(actor, a)));
  if (verb === 'continue') return resultName(abi.proxy_continue_stream(numbered(streams, a)));
  if (verb === 'close') return resultName(more.proxy_close_stream(numbered(streams, a)));
  if (verb === 'header') {
    replyHeaders.add(bytesOf(a), unescaped(rest(words, 2)));
    return '';
  }
  if (verb === 'reply') return reply(I32.parseInt(a), rest(words, 2));
  if (verb === 'call' || verb === 'call-bare') return call(actor, verb === 'call-bare', a, b, c, rest(words, 4));
  if (verb === 'call-with') return callWith(actor, a, b, words);
  if (verb === 'enqueue') return enqueue(actor);
  if (verb === 'register') return register(a);
  if (verb === 'put') return put(a, rest(words, 2));
  if (verb === 'take') return take(a);
  if (verb === 'share') return share(a, rest(words, 3), b);
  if (verb === 'shared') return shared(a);
  if (verb === 'metric') return define(a, b);
  if (verb === 'increment') return resultName(abi.proxy_increment_metric(metric(a), I64.parseInt(b)));
  if (verb === 'record') return resultName(abi.proxy_record_metric(metric(a), U64.parseInt(b)));
  if (verb === 'measure') return withNumber(more.proxy_get_metric(metric(a), zeroed()));
  if (verb === 'tick') return resultName(more.proxy_set_tick_period_milliseconds(U32.parseInt(a)));
  if (verb === 'log') {
    const text = bytesOf(`[${actor.tag}]   says ${rest(words, 2)}`);
    return resultName(abi.proxy_log(I32.parseInt(a), pointer(text), length(text) as usize));
  }
  if (verb === 'log-level') return withNumber(more.proxy_get_log_level(zeroed()));
  if (verb === 'status') return status();
  if (verb === 'done') return resultName(more.proxy_done());
  if (verb === 'random') return resultName(random_get(heap.alloc(U32.parseInt(a)), U32.parseInt(a)));
  if (verb === 'foreign') return foreign(a, rest(words, 2));
  if (verb === 'resolve') return resolve(a);
  return 'NO SUCH OPERATION';
}

function rest(words: string[], from: i32): string {
  return words.slice(from).join(' ');
}

function numbered(names: string[], name: string): i32 {
  const at = names.indexOf(name);
  return at >= 0 ? at : I32.parseInt(name);
}

function number(word: string, otherwise: i32): usize {
  return (word === '' ? otherwise : word === 'all' ? -1 : I32.parseInt(word)) as usize;
}

/** Segments end with dots; one inside of a segment is written `\x2e`. */
function pathOf(text: string): Span {
  return unescaped(text.replaceAll('.', '\\x00'));
}

function contextOf(actor: Actor, name: string): u32 {
  const key = `${actor.tag}/${name}`;
  if (peers.has(key)) return peers.get(key);
  const root = actor.root;
  if (name === 'root') return root === null ? actor.id : root.id;
  return U32.parseInt(name);
}

function zeroed(): usize {
  store<u64>(RESULT, 0);
  return RESULT;
}

function withNumber(result: i32): string {
  return result === 0 ? `Ok ${load<u64>(RESULT)}` : resultName(result);
}

function withOut(result: i32): string {
  return result === 0 ? `Ok ${shown(out())}` : resultName(result);
}

function edit(adds: bool, map: i32, name: string, value: string): string {
  const key = bytesOf(name);
  const text = unescaped(value);
  const size = length(key) as usize;
  const count = length(text) as usize;
  return resultName(
    adds
      ? abi.proxy_add_header_map_value(map, pointer(key), size, pointer(text), count)
      : abi.proxy_replace_header_map_value(map, pointer(key), size, pointer(text), count),
  );
}

/** The test's own, and what differs from run to run. */
const volatile = ['x-probe', 'x-case', 'x-request-id', 'x-envoy-upstream-service-time', 'date'];

function pairs(map: i32): string {
  clearOut();
  const result = abi.proxy_get_header_map_pairs(map, OUT_DATA, OUT_LENGTH);
  if (result !== 0) return resultName(result);
  let text = 'Ok';
  for (const each = readPairs(out(), arena); each.next();) {
    const name = textOf(each.name);
    if (!volatile.includes(name)) text += ` ${name} ${shown(each.value)}`;
  }
  return text;
}

/** `set-pairs response :status 200 x-a 1`; `set-pairs response broken`: a block whose sizes do not fit. */
function setPairs(map: i32, words: string[]): string {
  const list = newHeaderList(arena);
  for (let i = 2; i + 1 < words.length; i += 2) list.add(bytesOf(words[i]), unescaped(words[i + 1]));
  const packed = list.packed();
  const size = length(packed) + (words[2] === 'broken' ? 1 : 0);
  return resultName(more.proxy_set_header_map_pairs(map, pointer(packed), size as usize));
}

function reply(status: i32, body: string): string {
  const details = bytesOf('probe reply');
  const text = unescaped(body);
  const headers = replyHeaders.packed();
  const none = replyHeaders.count === 0;
  replyHeaders = newHeaderList(arena);
  return resultName(
    abi.proxy_send_local_response(
      status,
      pointer(details),
      length(details) as usize,
      pointer(text),
      length(text) as usize,
      pointer(headers),
      none ? 0 : (length(headers) as usize),
      -1,
    ),
  );
}

/** `call one /echo 1000 text`: with a body it is a POST. */
function call(actor: Actor, bare: bool, cluster: string, path: string, timeout: string, text: string): string {
  const list = newHeaderList(arena);
  if (!bare) {
    list.add(bytesOf(':method'), bytesOf(text === '' ? 'GET' : 'POST'));
    list.add(bytesOf(':path'), bytesOf(path));
    list.add(bytesOf(':authority'), bytesOf(cluster));
  }
  return send(actor, list, cluster, timeout, text);
}

/** `call-with one 1000 :method GET :path /a …`: with these headers, in this order. */
function callWith(actor: Actor, cluster: string, timeout: string, words: string[]): string {
  const list = newHeaderList(arena);
  for (let i = 3; i + 1 < words.length; i += 2) list.add(bytesOf(words[i]), unescaped(words[i + 1]));
  return send(actor, list, cluster, timeout, '');
}

function send(actor: Actor, list: HeaderList, cluster: string, timeout: string, text: string): string {
  list.add(bytesOf('x-case'), bytesOf(actor.tag));
  const headers = list.packed();
  const name = bytesOf(cluster);
  const body = unescaped(text);
  const result = abi.proxy_http_call(
    pointer(name),
    length(name) as usize,
    pointer(headers),
    length(headers) as usize,
    pointer(body),
    length(body) as usize,
    0,
    0,
    I32.parseInt(timeout),
    OUT_DATA,
  );
  if (result !== 0) return resultName(result);
  actor.calls++;
  callers.set(load<u32>(OUT_DATA), actor);
  callNumbers.set(load<u32>(OUT_DATA), actor.calls);
  return 'Ok';
}

function enqueue(actor: Actor): string {
  const root = actor.root;
  store<u32>(RESULT, actor.id);
  return root === null ? '' : resultName(more.proxy_enqueue_shared_queue(root.queue, RESULT, 4));
}

/** Queues by the names under which this VM registered them. */
const queues: Map<string, u32> = new Map();

function register(name: string): string {
  const key = bytesOf(name);
  const result = more.proxy_register_shared_queue(pointer(key), length(key) as usize, OUT_DATA);
  if (result === 0) queues.set(name, load<u32>(OUT_DATA));
  return resultName(result);
}

function put(name: string, value: string): string {
  const item = unescaped(value);
  return resultName(more.proxy_enqueue_shared_queue(queues.get(name), pointer(item), length(item) as usize));
}

function take(name: string): string {
  clearOut();
  return withOut(more.proxy_dequeue_shared_queue(queues.get(name), OUT_DATA, OUT_LENGTH));
}

/** `share key cas value`; `last` is what `shared` found. */
function share(name: string, value: string, cas: string): string {
  const key = bytesOf(name);
  const data = unescaped(value);
  return resultName(
    abi.proxy_set_shared_data(
      pointer(key),
      length(key) as usize,
      pointer(data),
      length(data) as usize,
      cas === 'last' ? lastCas : U32.parseInt(cas),
    ),
  );
}

function shared(name: string): string {
  const key = bytesOf(name);
  clearOut();
  const result = abi.proxy_get_shared_data(pointer(key), length(key) as usize, OUT_DATA, OUT_LENGTH, RESULT);
  if (result !== 0) return resultName(result);
  lastCas = load<u32>(RESULT);
  if (casBefore === U32.MAX_VALUE) casBefore = lastCas - 1;
  return `Ok ${shown(out())} cas ${lastCas - casBefore}`;
}

function define(type: string, name: string): string {
  const key = bytesOf(name);
  const result = abi.proxy_define_metric(numbered(metricTypes, type), pointer(key), length(key) as usize, OUT_DATA);
  if (result === 0) metrics.set(name, load<u32>(OUT_DATA));
  return resultName(result);
}

function metric(name: string): u32 {
  return metrics.has(name) ? metrics.get(name) : U32.parseInt(name);
}

function status(): string {
  clearOut();
  const result = more.proxy_get_status(RESULT, OUT_DATA, OUT_LENGTH);
  return result === 0 ? `Ok ${load<u32>(RESULT)} ${shown(out())}` : resultName(result);
}

function foreign(name: string, argument: string): string {
  const key = bytesOf(name);
  const data = unescaped(argument);
  clearOut();
  return withOut(
    more.proxy_call_foreign_function(
      pointer(key),
      length(key) as usize,
      pointer(data),
      length(data) as usize,
      OUT_DATA,
      OUT_LENGTH,
    ),
  );
}

function resolve(name: string): string {
  const key = bytesOf(name);
  return resultName(more.proxy_resolve_shared_queue(0, 0, pointer(key), length(key) as usize, OUT_DATA));
}
