import { Noun, NounRow } from '../mcp/nouns';
import { isDigit, QUOTE, ZERO } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, equals, limit, literal, pointer, NONE } from '../bytes/span';
import { Kind, part, Walk } from '../json/reader';
import { textOf } from '../json/text';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Token } from '../json/token';
import { Revision } from '../mcp/revisions';
import { newToolShape, ToolShape } from '../mcp/tool-shape';

const ID = literal('id');
const RESULT = literal('result');
const ERROR = literal('error');
const NEXT_CURSOR = literal('nextCursor');
const TTL = literal('ttlMs');
const CACHE_SCOPE = literal('cacheScope');
const PUBLIC = literal('"public"');
const META = literal('_meta');

/** Milliseconds. */
const MOST_TTL: u32 = 3_600_000;

const enum Place {
  Elsewhere,
  Id,
  Result,
  Error,
}

const enum Inside {
  Elsewhere,
  Items,
  Cursor,
  Ttl,
  CacheScope,
}

/** One item of a list, as bytes of the page that it came in. */
@unmanaged
export class Item {
  /** The whole object. */
  object: Span;
  /** The value of its name, a string token within `object`. */
  name: Span;
  /** The value of `_meta` of a tool, within `object`; NONE: there is none. */
  meta: Span;
  /** The rule of MCP's schema that it breaks, so that clients would refuse the whole list; NONE: none. */
  rule: Span;
  /** What is known of a tool by it, bits of Hint and Fact; NO_FACTS where nobody asks. */
  facts: u32;
  /** This request may see it. */
  chosen: bool;
  /** What a client sees in the name that the server did not write, and where it is inserted: an offset in `name`. */
  mark: Span;
  markAt: u32;
  /** What a client gets in the place of the object, or NONE. */
  replacement: Span;
  /** Its name is that of another tool, which a call would reach. */
  isEclipsed: bool;

  get isBroken(): bool {
    return this.rule !== NONE;
  }
}

/** Depth of the items: what is inside of one is looked at when it has ended. */
const ITEMS = 3;

/**
 * One page of a list, read in a single pass that checks the whole document. Items are noted, not copied. An item
 * without a name of its own, or with two, is left out: nobody could call it, or two readers would call different tools.
 */
@unmanaged
export class Page {
  noun: NounRow;
  document: Span;
  scanner: Scanner;
  arena: Arena;
  /** Not one JSON document. */
  malformed: bool;
  id: Span;
  hasResult: bool;
  error: Span;
  /** Elements are Item. */
  items: List;
  skipped: i32;
  /** How many of the items are broken. */
  broken: i32;
  /** A string token, or NONE on the last page. */
  nextCursor: Span;
  /** Milliseconds for which the server lets it be kept; 0: for none, or it does not say. */
  ttl: u32;
  /** It may be kept for everybody, not for those alone with the same authorization. */
  isPublic: bool;

  /** What tools are held against; null: the items are known to be sound, or are no tools. */
  shape: ToolShape | null;

  /** Through one item after the other. */
  members: Walk;

  private place: Place;
  private inside: Inside;
  private opened: u32;
  private itemStart: u32;

  read(): void {
    const scanner = this.scanner;
    for (;;) {
      const token = scanner.next();
      if (token <= Token.Invalid) {
        this.malformed = token === Token.Invalid || !scanner.complete();
        return;
      }
      switch (token) {
        case Token.Key:
          this.key(scanner.depth);
          break;
        case Token.ObjectStart:
        case Token.ArrayStart:
          this.start(scanner.depth - 1, token === Token.ObjectStart);
          break;
        case Token.ObjectEnd:
        case Token.ArrayEnd:
          this.end(scanner.depth);
          break;
        default:
          this.scalar(scanner.depth, token === Token.String);
      }
    }
  }

  private key(depth: i32): void {
    const key = this.scanner.text;
    if (depth === 1) {
      if (equals(key, RESULT)) this.place = Place.Result;
      else if (equals(key, ID)) this.place = Place.Id;
      else this.place = equals(key, ERROR) ? Place.Error : Place.Elsewhere;
    } else if (depth === 2) {
      if (this.place !== Place.Result) return;
      this.inside = this.insideOf(key);
    }
  }

  private insideOf(key: Span): Inside {
    if (equals(key, this.noun.items)) return Inside.Items;
    if (equals(key, NEXT_CURSOR)) return Inside.Cursor;
    if (equals(key, TTL)) return Inside.Ttl;
    return equals(key, CACHE_SCOPE) ? Inside.CacheScope : Inside.Elsewhere;
  }

  private start(level: i32, object: bool): void {
    if (level === ITEMS) this.itemStart = this.scanner.start;
    if (level === 1) this.opened = this.scanner.start;
    if (level === 1) this.hasResult = this.hasResult || (this.place === Place.Result && object);
    // Items stand in an array.
    else if (level === 2 && object) this.inside = Inside.Elsewhere;
  }

  private end(level: i32): void {
    if (level === 1 && this.place === Place.Error) this.error = part(this.document, this.opened, this.scanner.finish);
    else if (level === 2) this.inside = Inside.Elsewhere;
    else if (level === ITEMS && this.inItems()) this.item(part(this.document, this.itemStart, this.scanner.finish));
  }

  /** @param value an element of the list, scanned: an object, or an array, which has no name */
  private item(value: Span): void {
    const shape = this.shape;
    if (shape !== null) shape.open();
    let names = 0;
    let name = NONE;
    let meta = NONE;
    const isTool = this.noun.noun === Noun.Tools;
    const walk = this.members;
    for (walk.begin(value); walk.next();) {
      const key = walk.key(this.arena);
      if (shape !== null) shape.take(key, walk);
      if (key === NONE) continue;
      if (isTool && equals(key, META)) meta = walk.value;
      if (!equals(key, this.noun.key)) continue;
      names++;
      name = walk.kind === Kind.String ? walk.value : NONE;
    }
    if (names !== 1 || name === NONE) {
      this.skipped++;
      return;
    }
    const item = make<Item>(this.arena);
    item.object = value;
    item.name = name;
    item.meta = meta;
    if (shape !== null) item.rule = shape.close();
    if (item.isBroken) this.broken++;
    this.items.push(changetype<usize>(item) as u64);
  }

  private scalar(depth: i32, isString: bool): void {
    const value = part(this.document, this.scanner.start, this.scanner.finish);
    if (depth === 1) {
      if (this.place === Place.Id) this.id = value;
    } else if (depth === 2) {
      if (this.place === Place.Result) this.resultScalar(value, isString);
    }
  }

  private resultScalar(value: Span, isString: bool): void {
    if (this.inside === Inside.Cursor) this.nextCursor = isString ? value : NONE;
    else if (this.inside === Inside.Ttl) this.ttl = isString ? 0 : milliseconds(value);
    else if (this.inside === Inside.CacheScope) this.isPublic = equals(value, PUBLIC);
  }

  /** No item breaks a rule, whichever revision a client speaks: those with a handshake have all the rules. */
  get isSound(): bool {
    const shape = this.shape;
    return shape === null || (this.broken === 0 && shape.isOfHandshake);
  }

  private inItems(): bool {
    return this.place === Place.Result && this.inside === Inside.Items;
  }

  /** Whether this is the answer to the request with that id (a string token of ours). */
  answers(id: Span, arena: Arena): bool {
    if (this.malformed || this.id === NONE || load<u8>(pointer(this.id)) !== QUOTE) return false;
    return equals(textOf(this.id, arena), textOf(id, arena));
  }
}

/** Whole digits; of a fraction what stands before the point, and of anything else 0. At most an hour is believed. */
function milliseconds(number: Span): u32 {
  let sum: u32 = 0;
  for (let at = pointer(number); at < limit(number) && isDigit(load<u8>(at)); at++) {
    sum = min(sum * 10 + (load<u8>(at) - ZERO), MOST_TTL);
  }
  return sum;
}

/**
 * @param document kept as long as the page
 * @param revision that the client speaks; its rules hold for tools. No client is known to refuse a list for another
 * noun's shape
 */
export function readPage(document: Span, noun: NounRow, revision: Revision, arena: Arena): Page {
  return read(document, noun, noun.noun === Noun.Tools ? newToolShape(revision, arena) : null, arena);
}

/** The same of a document whose items were found sound before. */
export function readSoundPage(document: Span, noun: NounRow, arena: Arena): Page {
  return read(document, noun, null, arena);
}

function read(document: Span, noun: NounRow, shape: ToolShape | null, arena: Arena): Page {
  const page = make<Page>(arena);
  page.arena = arena;
  page.document = document;
  page.noun = noun;
  page.items = newList(arena);
  page.shape = shape;
  page.members = make<Walk>(arena);
  page.scanner = newScanner(arena.zeroed(SCANNER_SIZE), ITEMS);
  page.scanner.capturesKeysAlone = true;
  page.scanner.feed(document);
  page.read();
  return page;
}
