import { make, newArena, scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { endedShort, hasRoom } from '../bytes/room';
import { Span, equals, fingerprint, length, literal, NONE } from '../bytes/span';
import { catalogFault } from '../config/catalog';
import { parseGateway } from '../config/parse';
import { CatalogSource } from '../model/catalog';
import { CatalogState, keepCatalogText, keptCatalogText, readCatalogState } from '../session/catalog-state';
import { Answer, Ending } from '../upstream/answer';
import { askForCatalog, catalogFailure } from '../upstream/catalog';
import { Writer } from '../bytes/writer';
import { read } from './buffers';
import { Pending, readAnswer, sendForCatalog } from './callouts';
import { now } from './clock';
import { newGeneration } from './generation';
import { labelGateway } from './labels';
import { Level, line, log } from './log';
import { writeLogText } from './log-text';
import { ensureKey, inheritKey } from './process-key';
import { Root, rootOf } from './roots';
import { Buffer } from './status';
import { FAST_TICK, MIDDLE_TICK, NO_TICK } from './tick';

/**
 * Follows the catalog of a gateway: with each tick a worker takes up what another one has found, and one of all workers
 * asks the plugin server when it is time. A worker begins to serve a catalog between two callbacks; requests that have
 * begun keep what they began with, see generation.ts. Whatever comes of asking, what is served stays until there is
 * something better.
 */
/** Milliseconds that the plugin server has for its answer. */
const TIMEOUT: u32 = 5000;
/** Nanoseconds after which a worker that has asked is taken for gone. */
const GONE_AFTER: u64 = 6_000_000_000;
const BLOCK: usize = 64 << 10;
/** Bytes of memory for each byte of a catalog before any part of it is read: its copies, and lists of its parts. */
const ROOM_FOR_CATALOG: u64 = 16;
/** Bytes of a line of the log. */
const MOST_LINE = 512;

const ETAG = literal('etag');
const EMPTY = literal('');
const CATALOG = literal('catalog ');
const SEPARATOR = literal(': ');
const SERVED = literal(' is served, servers: ');
const REVISION = literal(': revision ');
const AGAIN = literal(': the plugin server answers again');
const STAYS = literal('; what is served stays');
const NOTHING = literal('; nothing of it is served yet');
const LEFT_OUT = literal(': left out: ');
const NO_ROOM = literal('the worker has no memory for the catalog; give some of its servers and tools to another one');

/** With a tick. How soon it has to come again. @param id of a root */
export function followCatalog(id: u32): u32 {
  const root = rootOf(id);
  if (root === null) return NO_TICK;
  const source = root.gateway.catalogSource;
  if (source === null) return NO_TICK;
  // What this callback reads lives until its end, though another generation takes the place of this one.
  const before = root.generation.use();
  const period = follow(id, root, source);
  before.release();
  return period;
}

function follow(id: u32, root: Root, source: CatalogSource): u32 {
  const gateway = root.gateway;
  ensureKey(gateway, root.generation.arena);
  if (gateway.keys.keys.count === 0) return MIDDLE_TICK;
  let state = readCatalogState(source, gateway.keys, scratch);
  if (state.digest !== 0 && state.digest !== root.catalogDigest) {
    takeUp(root, source, state.digest);
    // To begin asking it has to be what was read last.
    state = readCatalogState(source, gateway.keys, scratch);
  }
  const at = now();
  if (state.isDue(at, source.interval, GONE_AFTER) && state.beginAsking(at, scratch)) ask(id, root, source, state);
  return root.gateway.awaitsCatalog && state.failedAt === 0 ? FAST_TICK : MIDDLE_TICK;
}

/** What another worker has found. */
function takeUp(root: Root, source: CatalogSource, digest: u64): void {
  if (digest === root.refusedDigest) return;
  const text = keptCatalogText(source, root.gateway.keys, scratch);
  if (text === NONE || digestOf(text) !== digest) return;
  const refusal = serve(root, text, digest, false);
  // A lack of memory passes.
  if (refusal !== NONE && refusal !== NO_ROOM) root.refusedDigest = digest;
}

function ask(id: u32, root: Root, source: CatalogSource, state: CatalogState): void {
  const isKnown = root.catalogDigest !== 0 && root.catalogDigest === state.digest;
  const ending = sendForCatalog(askForCatalog(source, state, isKnown, scratch), TIMEOUT, id);
  if (ending === Ending.Response) return;
  const answer = make<Answer>(scratch);
  answer.ending = ending;
  fail(root, state, catalogFailure(answer, source, 0, scratch), NONE);
}

/** The answer of the plugin server. */
export function hearCatalog(entry: Pending, headerCount: i32, bodySize: i32): void {
  const root = rootOf(entry.root);
  if (root === null) return;
  const source = root.gateway.catalogSource;
  if (source === null) return;
  const before = root.generation.use();
  hearAnswer(root, source, readAnswer(entry, headerCount, 0), bodySize);
  before.release();
}

function hearAnswer(root: Root, source: CatalogSource, answer: Answer, bodySize: i32): void {
  const state = readCatalogState(source, root.gateway.keys, scratch);
  const failure = catalogFailure(answer, source, bodySize as u32, scratch);
  if (failure !== NONE) return fail(root, state, failure, NONE);
  const sent = headerIn(answer.headers, ETAG, scratch);
  if (answer.status === 304) return unchanged(root, state, sent);
  if (!hasRoom((bodySize as u64) * ROOM_FOR_CATALOG)) return fail(root, state, NO_ROOM, NONE);
  const body = bodySize > 0 ? read(Buffer.CalloutResponse, 0, bodySize as usize) : NONE;
  const text = body === NONE ? EMPTY : body;
  const fault = catalogFault(text, source, scratch);
  if (fault !== NONE) return fail(root, state, fault, NONE);
  const digest = digestOf(text);
  if (digest !== root.catalogDigest) {
    const refusal = serve(root, text, digest, true);
    if (refusal !== NONE) return fail(root, state, refusal, sent);
    tellServed(root);
  }
  keepCatalogText(source, text, root.gateway.keys, scratch);
  hear(root, state, digest, sent);
}

function unchanged(root: Root, state: CatalogState, sent: Span): void {
  const isRefused =
    length(state.refusedTag) > 0 && (sent === NONE ? root.catalogDigest === 0 : equals(sent, state.refusedTag));
  if (isRefused) state.fail(state.failure, state.refusedTag, now(), scratch);
  else hear(root, state, root.catalogDigest, state.tag);
}

function hear(root: Root, state: CatalogState, digest: u64, tag: Span): void {
  if (state.failedAt !== 0) tell(Level.Info, begin(root).bytes(AGAIN).written, root);
  state.hear(digest, tag, now(), scratch);
}

/** Told once, however often it is met. */
function fail(root: Root, state: CatalogState, failure: Span, refusedTag: Span): void {
  if (state.failedAt === 0 || !equals(state.failure, failure)) {
    const text = begin(root).bytes(SEPARATOR);
    writeLogText(text, failure, MOST_LINE);
    tell(Level.Warn, text.bytes(root.gateway.awaitsCatalog ? NOTHING : STAYS).written, root);
  }
  state.fail(failure, refusedTag, now(), scratch);
}

/**
 * NONE: it is served from now on. Else why not.
 * @param tells this is the worker that tells what is odd about it
 */
function serve(root: Root, text: Span, digest: u64, tells: bool): Span {
  const before = root.generation;
  const size = (length(text) as u64) + (length(before.text) as u64);
  if (!hasRoom(size * ROOM_FOR_CATALOG)) return NO_ROOM;
  const arena = newArena(BLOCK);
  const configuration = arena.copy(before.text);
  const environment = arena.copy(before.environment);
  const parsed = parseGateway(configuration, environment, arena, false, arena.copy(text));
  if (endedShort()) {
    arena.dispose();
    return NO_ROOM;
  }
  if (parsed.problems.lines.count > 0) {
    const refusal = scratch.copy(parsed.problems.lines.at(0));
    arena.dispose();
    return refusal;
  }
  for (let i = 0; tells && i < parsed.problems.warnings.count; i++) {
    const warning = begin(root).bytes(SEPARATOR);
    writeLogText(warning, parsed.problems.warnings.at(i), MOST_LINE);
    tell(Level.Warn, warning.written, root);
  }
  inheritKey(parsed.gateway, before.gateway, arena);
  labelGateway(parsed.gateway);
  root.renew(newGeneration(parsed.gateway, configuration, environment, arena));
  root.catalogDigest = digest;
  root.refusedDigest = 0;
  return NONE;
}

/** By the worker that has asked: all others serve the same. */
function tellServed(root: Root): void {
  const gateway = root.gateway;
  const catalog = gateway.catalog!;
  const text = begin(root).bytes(REVISION).bytes(catalog.revision).bytes(SERVED);
  tell(Level.Info, text.decimal((gateway.servers.count - catalog.firstServer) as u64).written, root);
  for (let i = 0; i < catalog.leftOut.count; i++) {
    const left = begin(root).bytes(LEFT_OUT);
    writeLogText(left, catalog.leftOut.at(i), MOST_LINE);
    tell(Level.Warn, left.written, root);
  }
}

function begin(root: Root): Writer {
  return line().bytes(CATALOG).bytes(root.gateway.catalogSource!.namespace);
}

function tell(level: Level, text: Span, root: Root): void {
  log(level, text, root.gateway.logLevel);
}

/** 0 is none. */
function digestOf(text: Span): u64 {
  return fingerprint(text) | 1;
}
