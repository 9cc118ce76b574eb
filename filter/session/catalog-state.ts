import { Arena, make } from '../bytes/arena';
import { Span, between, first, length, limit, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { CatalogSource } from '../model/catalog';
import { KeyRing } from '../model/keyring';
import { isWithin, owner, slotTable } from './slots';

/**
 * What the workers of one Envoy know together of a catalog: one of them asks for it at a time, and what it gets is there
 * for all. The text has a slot of its own, which is read where its digest is another one than before.
 *
 *     │ digest of the text (8) │ asked at, ns (8) │ heard at, ns (8) │ failed at, s (4) │ under way (1) │
 *     │ size (1), tag … │ size (1), refused tag … │ failure … │
 */
const STATES = slotTable(literal('sluice/catalog/'), 16);
const TEXTS = slotTable(literal('sluice/catalog-text/'), 16);

const HEAD: i32 = 29;
/** Bytes of an entity tag: a longer one is not kept, and the catalog is asked for whole. */
const MOST_TAG: i32 = 128;
/** Bytes of what is said of a failure. */
const MOST_FAILURE: i32 = 512;
const EMPTY = literal('');

@unmanaged
export class CatalogState {
  owner: Span;
  keys: KeyRing;
  /** The digest of the text that was taken last; 0: none was. */
  digest: u64;
  /** Nanoseconds since 1970: when a worker asked last, and when one had an answer that was good. */
  askedAt: u64;
  heardAt: u64;
  /** Seconds since 1970; 0: the last answer was good. */
  failedAt: u32;
  /** A worker waits for an answer. */
  isUnderWay: bool;
  /** The entity tag of the text, as the plugin server has sent it; empty: none. */
  tag: Span;
  /** That of a text which could not be taken, so that it is not sent again and again; empty: none. */
  refusedTag: Span;
  /** Why the last answer was not taken; empty where it was. */
  failure: Span;

  /**
   * Whether it is this worker's turn to ask. @param interval milliseconds. @param timeout nanoseconds after which who
   * has asked is gone
   */
  isDue(now: u64, interval: u32, timeout: u64): bool {
    if (this.isUnderWay && isWithin(this.askedAt, now, timeout)) return false;
    return !isWithin(this.askedAt, now, (interval as u64) * 1_000_000);
  }

  /** Right after it was read. False: another worker was faster. */
  beginAsking(now: u64, arena: Arena): bool {
    this.askedAt = now;
    this.isUnderWay = true;
    return STATES.swap(this.owner, this.entry(arena), this.keys, arena);
  }

  /** The catalog is this one: a new one, or the same. @param now nanoseconds since 1970 */
  hear(digest: u64, tag: Span, now: u64, arena: Arena): void {
    this.digest = digest;
    this.tag = kept(tag);
    this.refusedTag = EMPTY;
    this.heardAt = now;
    this.failedAt = 0;
    this.failure = EMPTY;
    this.end(arena);
  }

  /** What is served stays. @param refusedTag of a text that cannot be taken, or NONE */
  fail(failure: Span, refusedTag: Span, now: u64, arena: Arena): void {
    this.refusedTag = kept(refusedTag);
    this.failedAt = (now / 1_000_000_000) as u32;
    this.failure = length(failure) > MOST_FAILURE ? first(failure, MOST_FAILURE) : failure;
    this.end(arena);
  }

  private end(arena: Arena): void {
    this.isUnderWay = false;
    STATES.write(this.owner, this.entry(arena), this.keys, arena);
  }

  private entry(arena: Arena): Span {
    return newWriter(arena, 256)
      .u64(this.digest)
      .u64(this.askedAt)
      .u64(this.heardAt)
      .u32(this.failedAt)
      .u8(this.isUnderWay ? 1 : 0)
      .u8(length(this.tag))
      .bytes(this.tag)
      .u8(length(this.refusedTag))
      .bytes(this.refusedTag)
      .bytes(this.failure).written;
  }
}

function kept(tag: Span): Span {
  return tag === NONE || length(tag) > MOST_TAG ? EMPTY : tag;
}

/** Zeros where nobody has asked yet, or nobody remembers. */
export function readCatalogState(source: CatalogSource, keys: KeyRing, arena: Arena): CatalogState {
  const state = make<CatalogState>(arena);
  state.owner = owner(STATES, source.namespace, source.fingerprint, arena);
  state.keys = keys;
  state.tag = EMPTY;
  state.failure = EMPTY;
  const entry = STATES.read(state.owner, keys, arena);
  if (entry === NONE || length(entry) < HEAD + 2) return state;
  const at = pointer(entry);
  const tag = textAt(entry, HEAD);
  const refused = tag === NONE ? NONE : textAt(entry, HEAD + 1 + length(tag));
  if (refused === NONE) return state;
  state.digest = load<u64>(at);
  state.askedAt = load<u64>(at, 8);
  state.heardAt = load<u64>(at, 16);
  state.failedAt = load<u32>(at, 24);
  state.isUnderWay = load<u8>(at, 28) !== 0;
  state.tag = tag;
  state.refusedTag = refused;
  state.failure = between(limit(refused), limit(entry));
  return state;
}

/** A size, and so many bytes behind it; NONE where there are not so many. */
function textAt(entry: Span, offset: i32): Span {
  if (offset >= length(entry)) return NONE;
  const at = pointer(entry) + (offset as usize);
  const size = load<u8>(at) as u32;
  return at + 1 + (size as usize) > limit(entry) ? NONE : span(at + 1, size);
}

/** For all workers, before the state says that it is there. */
export function keepCatalogText(source: CatalogSource, text: Span, keys: KeyRing, arena: Arena): void {
  TEXTS.write(owner(TEXTS, source.namespace, source.fingerprint, arena), text, keys, arena);
}

/** NONE where it is gone, or not there yet. */
export function keptCatalogText(source: CatalogSource, keys: KeyRing, arena: Arena): Span {
  return TEXTS.read(owner(TEXTS, source.namespace, source.fingerprint, arena), keys, arena);
}
