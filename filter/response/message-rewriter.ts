import { Arena, make } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Token } from '../json/token';
import { LEAST_OF_REFUSAL_ID, MOST_OF_REFUSAL_ID } from '../session/refusal-id';
import { Passage } from './passage';
import { isContainer, membersOf, Place, soughtIn } from './places';
import { Replacement } from './replacements';

/** Deeper than any place, arrays between counted. */
const DEEPEST: i32 = 16;
const FIRST_REPLACED: i32 = Place.Method;
/** Bytes of a message that are held for its id: a response to a `ping` is little more than that. */
const MOST_HELD: u32 = 8 << 10;
const LINE_FEED = literal('\n');

/**
 * Finds in a message of a server what is rewritten, see places.ts, while the message passes in parts. The same in a batch
 * (MCP 2025-03-26). What is no JSON, or deeper than the scanner goes, passes as it is from there on.
 *
 *     {"id":1,"method":"sampling/createMessage", …     the id waits until `method` says that this is a request
 */
@unmanaged
export class MessageRewriter {
  passage: Passage;
  scanner: Scanner;
  /** URIs of resources are changed; else no result needs to be read to its end. */
  marksUris: bool;
  /** Answers become those of the era without sessions. Results get members at their end; the one that is open has some. */
  completes: bool;
  private hasMembers: bool;
  /** Data of a tool that are no object become one, as the era with sessions has it. */
  wrapsStructure: bool;
  /** The depth of the array that such data are, while it is open; else 0. */
  private wrapped: i32;
  /** The client's request has another id at the server. */
  restoresIds: bool;
  /** States and ids of tasks are sealed. */
  sealsForCallers: bool;
  /** Types of events get the prefix of their server. */
  namesEvents: bool;
  /** Its server may ask for no task. */
  withholdsTasks: bool;
  /** Over HTTP+SSE: lists are replaced, and messages that may be errors of ours, see flow/http-sse.ts. */
  readsLists: bool;
  /** By depth, the place of the container that is open there. */
  places: usize;
  /** The place of the value that follows. */
  place: Place;
  /** What the innermost message is. */
  private kind: Kind;
  /** The rest of the document passes unread. */
  private passes: bool;
  /** The rest of the document does not pass: what is no JSON here may be a list to a reader that is less strict. */
  private drops: bool;
  /** The container that is read is replaced as this, see `Replacement`; it begins at `replacedFrom`, an offset in the body. */
  private replaced: Replacement;
  private replacedFrom: u32;
  /** The message, which begins at `messageFrom`, is held until its id is known. */
  private isHeld: bool;
  private messageFrom: u32;
  /** An offset in the body less the same in the document, in the line that was read last. */
  private shift: u32;

  /** Before each document. */
  begin(): void {
    this.giveUpId();
    memory.fill(changetype<usize>(this.scanner), 0, SCANNER_SIZE);
    this.scanner.capturesKeysAlone = true;
    this.place = Place.Message;
    this.kind = Kind.Unknown;
    this.passes = false;
    this.drops = false;
    this.replaced = Replacement.None;
    this.isHeld = false;
    this.wrapped = 0;
  }

  /** Takes the next bytes of the document. @param offset of the first one in the body */
  read(bytes: Span, offset: u32): void {
    if (this.passes) return;
    if (this.drops) return this.drop(offset, bytes, offset);
    this.scanner.feed(bytes);
    this.shift = offset - this.scanner.position;
    this.scan();
    if (this.drops) this.drop(this.replaced === Replacement.None ? this.end : this.replacedFrom, bytes, offset);
  }

  private drop(from: u32, bytes: Span, offset: u32): void {
    this.passage.replace(from, offset + (length(bytes) as u32), Replacement.Nothing);
    this.replaced = Replacement.None;
  }

  /** The offset in the body behind what was scanned. */
  private get end(): u32 {
    return this.shift + this.scanner.position;
  }

  /** A line of data of an event has ended: in the document that is a line feed (WHATWG HTML §9.2.6). */
  readLineFeed(): void {
    if (this.passes || this.drops) return;
    this.scanner.feed(LINE_FEED);
    this.scan();
  }

  /** The offset in the body from which on bytes have to be kept; `end` where there are none. */
  keepsFrom(end: u32): u32 {
    if (this.isHeld) {
      if (end - this.messageFrom <= MOST_HELD) return this.messageFrom;
      this.isHeld = false;
    }
    if (this.passage.isWaiting) return this.passage.waitsFrom;
    if (this.replaced !== Replacement.None) return this.replacedFrom;
    if (this.passes || (this.place < FIRST_REPLACED && elementOf(this.place) === Replacement.None)) return end;
    return this.scanner.unfinished === NONE ? end : this.shift + this.scanner.start;
  }

  private scan(): void {
    const scanner = this.scanner;
    for (let token = scanner.next(); token !== Token.More; token = scanner.next()) {
      switch (token) {
        case Token.Invalid:
          return this.passOn();
        case Token.Key:
          this.readKey();
          break;
        case Token.ObjectStart:
        case Token.ArrayStart:
          this.open(token === Token.ObjectStart);
          break;
        case Token.ObjectEnd:
        case Token.ArrayEnd:
          this.close(token === Token.ObjectEnd);
          break;
        default:
          this.readValue(token);
      }
      if (this.passes) return;
    }
  }

  private passOn(): void {
    this.giveUpId();
    this.isHeld = false;
    this.drops = this.readsLists;
    this.passes = !this.drops;
  }

  /** Nothing tells any more whether the message is a request: its id passes. */
  private giveUpId(): void {
    if (this.passage.isWaiting) this.passage.decide(Replacement.None, this.shift + this.scanner.position);
  }

  private readKey(): void {
    this.place = Place.Other;
    const object = this.placeAt(this.scanner.depth);
    if (object === Place.Result) this.hasMembers = true;
    for (let row = membersOf(object); row !== null; row = row!.next) {
      if (!this.scanner.reads(row!.name)) continue;
      this.place = row!.place;
      if (!this.isLookedAt(object, this.place)) this.place = Place.Other;
      if (object === Place.Message) this.decideBy(row!.place);
      return;
    }
  }

  /** Some are there in one era alone, or where there are several servers. */
  private isLookedAt(object: Place, place: Place): bool {
    switch (place) {
      case Place.ClientsToken:
        return this.restoresIds;
      case Place.RequestState:
      case Place.TaskId:
      case Place.TaskIds:
      case Place.TaskResult:
        return this.sealsForCallers;
      case Place.Occurrence:
      case Place.EventName:
        return this.namesEvents;
      case Place.Method:
        return this.withholdsTasks;
      case Place.ErrorCode:
        return this.completes;
      case Place.Structure:
        return this.wrapsStructure;
      case Place.Error:
        return object === Place.Message || this.sealsForCallers;
      default:
        return true;
    }
  }

  /** JSON-RPC 2.0 §4, §5: a response has a result or an error, a request and a notification have neither. */
  private decideBy(member: Place): void {
    if (member === Place.Id || this.kind !== Kind.Unknown) return;
    const isResponse = member === Place.Result || member === Place.Error;
    this.kind = isResponse ? Kind.Response : Kind.Request;
    this.passage.decide(isResponse ? this.ofResponse : Replacement.RequestId, this.shift + this.scanner.finish);
    // The message of a response that no batch is around.
    if (isResponse && !this.readsResponses && this.scanner.depth === 1) this.passes = true;
    if (!isResponse) this.isHeld = false;
  }

  /** Whether there may be something in a response that is rewritten. */
  private get readsResponses(): bool {
    const readsForEra = this.completes || this.restoresIds || this.sealsForCallers || this.wrapsStructure;
    return this.marksUris || this.readsLists || this.namesEvents || readsForEra;
  }

  /** What becomes of the id of a response. */
  private get ofResponse(): Replacement {
    return this.restoresIds ? Replacement.ResponseId : Replacement.None;
  }

  private open(isObject: bool): void {
    const depth = this.scanner.depth;
    if (this.readsLists) this.openInStream(isObject, depth);
    if (this.place === Place.Structure && !isObject) {
      this.insert(this.scanner.start, Replacement.StructureOpen);
      this.wrapped = depth;
    }
    if (!isContainer(this.place) || depth > DEEPEST) {
      this.scanner.watch = depth - 1;
      return;
    }
    this.scanner.watch = depth;
    store<u8>(this.places + (depth as usize), this.place as u8);
    this.seek(this.place);
    if (this.place === Place.Result) this.hasMembers = false;
    if (this.place !== Place.Message) return;
    this.giveUpId();
    this.kind = Kind.Unknown;
  }

  /** A result is read member by member, as any counts: see `hasMembers`. */
  private seek(object: Place): void {
    this.scanner.sought = object === Place.Result ? 0 : soughtIn(object);
  }

  private openInStream(isObject: bool, depth: i32): void {
    if (this.place === Place.Message && isObject && depth === 1) {
      this.isHeld = true;
      this.messageFrom = this.shift + this.scanner.start;
    }
    const replacement = replacementOf(this.place);
    if (replacement === Replacement.None) return;
    this.replaced = replacement;
    this.replacedFrom = this.shift + this.scanner.start;
  }

  private close(isObject: bool): void {
    const depth = this.scanner.depth;
    if (this.replaced !== Replacement.None) {
      this.passage.replace(this.replacedFrom, this.shift + this.scanner.finish, this.replaced);
      this.replaced = Replacement.None;
    }
    if (this.wrapped === depth + 1) {
      this.insert(this.scanner.finish, Replacement.StructureClose);
      this.wrapped = 0;
    }
    const closed = this.scanner.watch > depth ? this.placeAt(depth + 1) : Place.Other;
    this.scanner.watch = depth;
    // In an array the next value stands in the same place; in an object a key comes first.
    this.place = depth === 0 ? Place.Other : this.placeAt(depth);
    this.seek(this.place);
    if (closed === Place.Result && isObject && this.completes) this.complete();
    if (closed !== Place.Message || !isObject) return;
    this.giveUpId();
    if (!this.isHeld) return;
    this.isHeld = false;
    this.passage.replace(this.messageFrom, this.shift + this.scanner.finish, Replacement.Refusal);
  }

  /** Before the brace that closes a result. */
  private complete(): void {
    const at = this.shift + this.scanner.finish - 1;
    this.passage.replace(at, at, this.hasMembers ? Replacement.Members : Replacement.OnlyMembers);
  }

  private readValue(token: Token): void {
    const place = this.place;
    const isText = token === Token.String;
    if (isContainer(place)) {
      if (isText && elementOf(place) !== Replacement.None) this.replace(elementOf(place));
      return;
    }
    this.place = Place.Other;
    if (place === Place.Structure) {
      this.insert(this.scanner.start, Replacement.StructureOpen);
      this.insert(this.scanner.finish, Replacement.StructureClose);
    } else if (place === Place.Uri) {
      if (isText) this.replace(Replacement.Uri);
    } else if (place === Place.RequestState || place === Place.TaskId) {
      if (isText) this.replace(place === Place.TaskId ? Replacement.TaskId : Replacement.RequestState);
    } else if (place === Place.EventName) {
      if (isText) this.replace(Replacement.EventName);
    } else if (place === Place.Method) {
      if (isText) this.replace(Replacement.Method);
    } else if (isText || token === Token.Number) {
      if (place === Place.ErrorCode) this.replace(Replacement.ErrorCode);
      else if (place === Place.ServersId) this.replace(Replacement.RequestId);
      else if (place === Place.ClientsToken) this.replace(Replacement.ProgressToken);
      else if (place === Place.Id) this.readId();
    }
  }

  private readId(): void {
    const size = this.scanner.finish - this.scanner.start;
    if (size < (LEAST_OF_REFUSAL_ID as u32) || size > (MOST_OF_REFUSAL_ID as u32)) this.isHeld = false;
    if (this.kind === Kind.Request) this.replace(Replacement.RequestId);
    else if (this.kind === Kind.Response && this.restoresIds) this.replace(Replacement.ResponseId);
    if (this.kind !== Kind.Unknown) return;
    // Where there are two, the last one counts to those that read on.
    this.giveUpId();
    this.passage.await(this.shift + this.scanner.start, this.shift + this.scanner.finish);
  }

  /** @param at an offset in the document */
  private insert(at: u32, replacement: Replacement): void {
    this.passage.replace(this.shift + at, this.shift + at, replacement);
  }

  private replace(replacement: Replacement): void {
    this.passage.replace(this.shift + this.scanner.start, this.shift + this.scanner.finish, replacement);
  }

  private placeAt(depth: i32): Place {
    return load<u8>(this.places + (depth as usize));
  }
}

/** What takes the place of a text in an array that stands there, or None. */
function elementOf(array: Place): Replacement {
  if (array === Place.TaskIds) return Replacement.TaskId;
  return array === Place.Uris ? Replacement.Uri : Replacement.None;
}

/** What takes the place of a container, or None. */
function replacementOf(place: Place): Replacement {
  switch (place) {
    case Place.Capabilities:
      return Replacement.Capabilities;
    case Place.Tools:
      return Replacement.Tools;
    case Place.Prompts:
      return Replacement.Prompts;
    case Place.Resources:
      return Replacement.Resources;
    case Place.Templates:
      return Replacement.Templates;
    default:
      return Replacement.None;
  }
}

/** What a message is, as far as that is known. */
const enum Kind {
  Unknown,
  /** Or a notification. */
  Request,
  Response,
}

/** @param marksUris whether any URI of a resource is changed @param readsLists it comes over HTTP+SSE */
export function newMessageRewriter(passage: Passage, marksUris: bool, readsLists: bool, arena: Arena): MessageRewriter {
  const rewriter = make<MessageRewriter>(arena);
  rewriter.passage = passage;
  rewriter.marksUris = marksUris;
  rewriter.readsLists = readsLists;
  rewriter.scanner = newScanner(arena.zeroed(SCANNER_SIZE), 0);
  rewriter.places = arena.zeroed((DEEPEST as usize) + 1);
  rewriter.scanner.capturesKeysAlone = true;
  rewriter.place = Place.Message;
  return rewriter;
}
