import { LINE_FEED, OPENING_BRACE, OPENING_BRACKET, SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, after, length, limit, literal, pointer, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { MarkState, brokenMark, endsMark, isInMark, markAfter, markIn } from '../json/byte-order-mark';
import { MOST_OF_EVENT_ID } from '../session/event-id';
import { Field, newParser, Parser, Part } from '../sse/parser';
import { MessageRewriter, newMessageRewriter } from './message-rewriter';
import { newPassage, Obstacle, Passage } from './passage';
import { Replacement, Replacements } from './replacements';

const EMPTY = literal('');
/** `endpoint`, as a number. */
const ENDPOINT: u64 = 0x656e64706f696e74;
const ENDPOINT_LENGTH: i32 = 8;
const INCOMPLETE = literal('event: incomplete\n\n');

/**
 * The body of a server's answer while it passes: one JSON document, or an event stream whose events have a message each.
 * What the server calls by names of its own gets the client's names: see places.ts and replacements.ts, and the ids of
 * events. No message is held for it, however large it is: what goes on of a chunk goes on at once, see passage.ts.
 */
@unmanaged
export class Rewriter {
  passage: Passage;
  message: MessageRewriter;
  /** Null for a document. */
  events: Parser | null;
  sealsEventIds: bool;
  /** An event had an id: a client that loses the stream can have it go on, and so may a server that ends it. */
  isResumable: bool;
  private mark: MarkState;
  /** Data of the current event have come. */
  private hasData: bool;
  /** The id of an event has not ended. It begins at `idFrom`, an offset in the body. */
  private inId: bool;
  private idFrom: u32;
  /** It is longer than any that is kept: the event gets none. */
  private idIsLong: bool;
  /** It comes over HTTP+SSE: an event of it says where to send messages. */
  hasAddress: bool;
  /** The name of the event's type, the first byte highest, and how many bytes it has. */
  private type: u64;
  private typeLength: i32;
  /** The data of the event are no message, and stand between these offsets in the body. */
  private isOther: bool;
  private otherFrom: u32;
  private otherTo: u32;

  /** Whether what had gone on before the last chunk ended within a line of an event stream, and within an event. */
  private wasInLine: bool;
  private wasInEvent: bool;

  /** Why it cannot go on. What `write` returns then is nothing. */
  get obstacle(): Obstacle {
    return this.passage.obstacle;
  }

  /**
   * Takes the next bytes of the body.
   * @param arena for what is written
   * @returns what goes on in their place, as long as `chunk` and `arena` live: `chunk` itself where nothing is changed
   */
  write(chunk: Span, arena: Arena): Span {
    const passage = this.passage;
    const events = this.events;
    if (events !== null) {
      // What is kept stands in a line whose beginning has gone on.
      this.wasInLine = passage.isKeeping || events.isInLine;
      this.wasInEvent = passage.isKeeping || events.isInEvent;
    }
    const fresh = passage.begin(chunk, arena);
    if (events === null) this.readDocument(fresh);
    else this.readEvents(events, fresh);
    // What may be a part of a mark goes on as the document's where it is none.
    if (isInMark(this.mark)) return passage.finish(0);
    const end = passage.size;
    if (this.inId && end - this.idFrom > (MOST_OF_EVENT_ID as u32)) this.dropId(end);
    // What a message waits for stands before an id that has not ended; no text of its own goes on behind its line.
    const keepFrom = this.message.keepsFrom(end);
    if (keepFrom !== end) return passage.finish(keepFrom);
    return passage.finish(this.inId ? this.idFrom : this.isOther ? this.otherFrom : end);
  }

  /** The body has ended. @returns what is still to go on */
  end(arena: Arena): Span {
    const passage = this.passage;
    passage.begin(EMPTY, arena);
    passage.decide(Replacement.None, passage.size);
    // No event to a client that keeps to the rules, but one that does not would read it.
    if (this.inId) this.endId(passage.size);
    if (this.isOther) passage.replace(this.otherFrom, passage.size, Replacement.Nothing);
    return passage.finish(passage.size);
  }

  /** Writes into an event stream that has gone on to its end what stands before the next event, see `writeEnd`. */
  writeEndOfRead(out: Writer): void {
    const events = this.events!;
    writeEnd(out, events.isInLine, events.isInEvent);
  }

  /** The same where the last chunk does not go on. */
  writeEndOfSent(out: Writer): void {
    writeEnd(out, this.wasInLine, this.wasInEvent);
  }

  private readDocument(bytes: Span): void {
    const before = this.mark;
    const count = markIn(bytes, before);
    this.mark = markAfter(bytes, before, count);
    // What reads the document behind us, or the client that gets it as an event, knows no mark.
    if (endsMark(before, count)) this.passage.replace(0, before + count, Replacement.Nothing);
    const broken = brokenMark(bytes, before, count);
    if (length(broken) > 0) this.message.read(broken, 0);
    const document = after(bytes, count);
    if (length(document) > 0) this.message.read(document, this.passage.offsetOf(pointer(document)));
  }

  private readEvents(events: Parser, bytes: Span): void {
    events.feed(bytes);
    for (let part = events.next(); part !== Part.More; part = events.next()) {
      if (part === Part.EventEnd) {
        if (this.hasAddress) this.endEvent();
        if (this.hasData) this.message.begin();
        this.hasData = false;
      } else if (events.field === Field.Data) this.readData(events);
      else if (events.field === Field.Id) this.readId(events);
      else if (events.field === Field.Event) this.readType(events);
    }
  }

  private endEvent(): void {
    if (this.isOther && this.typeLength === ENDPOINT_LENGTH && this.type === ENDPOINT) {
      this.passage.replace(this.otherFrom, this.otherTo, Replacement.Address);
    }
    this.isOther = false;
    this.typeLength = 0;
  }

  private readType(events: Parser): void {
    if (events.begins) this.typeLength = 0;
    for (let at = pointer(events.value); at < limit(events.value); at++) {
      this.type = (this.type << 8) | (load<u8>(at) as u64);
      this.typeLength = min(this.typeLength, ENDPOINT_LENGTH) + 1;
    }
  }

  /** Whether the data of an event of HTTP+SSE are no message: one begins with a brace, or a bracket. */
  private isNoMessage(value: Span): bool {
    if (this.isOther) return true;
    if (this.hasData || length(value) === 0) return false;
    const c = load<u8>(pointer(value));
    return c !== OPENING_BRACE && c !== OPENING_BRACKET && c !== SPACE;
  }

  private readData(events: Parser): void {
    if (this.hasAddress && this.isNoMessage(events.value)) {
      if (!this.isOther) this.otherFrom = this.passage.offsetOf(pointer(events.value));
      this.isOther = true;
      this.otherTo = this.passage.offsetOf(limit(events.value));
      return;
    }
    if (length(events.value) > 0) this.hasData = true;
    this.message.read(events.value, this.passage.offsetOf(pointer(events.value)));
    if (events.ends) this.message.readLineFeed();
  }

  private readId(events: Parser): void {
    const value = events.value;
    if (length(value) > 0) this.isResumable = true;
    if (!this.sealsEventIds) return;
    if (events.begins) {
      this.inId = true;
      this.idIsLong = false;
      this.idFrom = this.passage.offsetOf(pointer(value));
    }
    if (events.ends) this.endId(this.passage.offsetOf(limit(value)));
  }

  private endId(to: u32): void {
    this.inId = false;
    if (to === this.idFrom) return;
    const isLong = this.idIsLong || to - this.idFrom > (MOST_OF_EVENT_ID as u32);
    this.passage.replace(this.idFrom, to, isLong ? Replacement.Nothing : Replacement.EventId);
  }

  private dropId(to: u32): void {
    this.passage.replace(this.idFrom, to, Replacement.Nothing);
    this.idFrom = to;
    this.idIsLong = true;
  }
}

/** Ends an event that is not whole so that clients skip it, which take events of the type `message` alone. */
function writeEnd(out: Writer, inLine: bool, inEvent: bool): void {
  if (inLine) out.byte(LINE_FEED);
  if (inEvent) out.bytes(INCOMPLETE);
}

/**
 * @param isStream an event stream, else one document
 * @param most bytes that are kept of it at any time
 * @param arena for as long as it passes
 */
export function newRewriter(isStream: bool, replacements: Replacements, most: u32, arena: Arena): Rewriter {
  const rewriter = make<Rewriter>(arena);
  const passage = newPassage(replacements, most, arena);
  rewriter.passage = passage;
  rewriter.hasAddress = replacements.context !== 0;
  rewriter.message = newMessageRewriter(passage, replacements.marksUris, rewriter.hasAddress, arena);
  rewriter.message.completes = replacements.members !== NONE;
  rewriter.message.wrapsStructure = replacements.wrapsStructure;
  rewriter.message.restoresIds = replacements.restoresIds;
  rewriter.message.sealsForCallers = replacements.sealsForCallers;
  rewriter.message.namesEvents = replacements.namesEvents;
  rewriter.message.withholdsTasks = replacements.withholdsTasks;
  rewriter.sealsEventIds = replacements.session !== null;
  if (isStream) rewriter.events = newParser(arena);
  return rewriter;
}
