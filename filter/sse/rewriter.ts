import { CARRIAGE_RETURN, COLON, LINE_FEED, SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, between, length, limit, pointer } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { DataLines, LINE_SIZE, newDataLines } from './data-lines';
import { Edits, newEdits } from './edits';
import { Field, newParser, Parser, Part, Separator } from './parser';

/** Looks at the data of events. */
export interface DataEditor {
  /** @param data of an event, which strangers wrote and may be no JSON @param edits of them, none yet */
  edit(data: Span, edits: Edits): void;
}

/** How often a kept event is in memory while it is edited: kept with room to grow, joined, and written. */
const COPIES: u64 = 5;

/**
 * An event stream that passes and whose data are edited. Bytes that no edit names stay the very bytes: ends of lines,
 * comments, other fields and their order. What stands before the data of an event goes on at once; from the first byte of
 * its data on, an event is kept until it is complete, copied only where it is cut between chunks. One that is larger than
 * the bound passes as it is.
 *
 *     … data: {"id":1,   │   "result":{}}⏎ ⏎ …        kept: {"id":1,   then edited as one:   {"id":1,"result":{}}⏎ ⏎
 */
@unmanaged
export class Rewriter<E extends DataEditor> {
  editor: E;
  /** Bytes of an event, from its data on, that are kept at most; a line of data counts LINE_SIZE more. */
  most: u32;
  /** How many events passed as they were because they are larger, or memory was short. */
  unedited: u32;
  parser: Parser;
  lines: DataLines;
  /** Bytes of the current event that earlier chunks brought. */
  kept: Writer;
  /** The data of the current event have begun, and it is to be edited. */
  private isOpen: bool;
  /** The current event passes as it is. */
  private passes: bool;
  /** The value of a line of data has not ended. It begins at `lineFrom`, an offset in the event. */
  private inLine: bool;
  private lineFrom: u32;
  private chunk: Span;
  /** The first byte of the current event in this chunk, or of its data where they begin here. */
  private from: usize;
  /** The first byte of the chunk that has not been written. */
  private unsent: usize;
  /** Null while the chunk goes on as it came. */
  private out: Writer | null;
  private arena: Arena;

  /**
   * Takes the next bytes of the stream.
   * @param arena for what is written, and for copies that live no longer than this call
   * @returns what goes on in their place, as long as `chunk` and `arena` live: `chunk` itself where nothing is changed
   */
  write(chunk: Span, arena: Arena): Span {
    this.begin(chunk, arena);
    const parser = this.parser;
    parser.feed(chunk);
    for (let part = parser.next(); part !== Part.More; part = parser.next()) {
      if (part === Part.Value) this.readValue();
      else {
        if (this.isOpen) this.endEvent(parser.at);
        this.passes = false;
      }
    }
    if (this.isOpen) this.keep();
    return this.written;
  }

  /**
   * The stream has ended. An event whose blank line is missing is none to a client; one that takes it nevertheless gets
   * it edited.
   * @returns what is still to go on
   */
  end(arena: Arena): Span {
    this.begin(between(this.kept.start, this.kept.start), arena);
    if (this.inLine) this.endLine(this.sizeTo(this.from));
    if (this.isOpen) this.endEvent(this.from);
    return this.written;
  }

  private begin(chunk: Span, arena: Arena): void {
    this.chunk = chunk;
    this.from = pointer(chunk);
    this.unsent = pointer(chunk);
    this.out = null;
    this.arena = arena;
  }

  private readValue(): void {
    const parser = this.parser;
    if (parser.field !== Field.Data || this.passes) return;
    const value = parser.value;
    if (!this.isOpen) {
      this.isOpen = true;
      this.from = pointer(value);
      this.lines.clear();
    }
    if (parser.begins) {
      this.inLine = true;
      this.lineFrom = this.sizeTo(pointer(value));
    }
    if (parser.ends) this.endLine(this.sizeTo(limit(value)));
    if (!this.fits(limit(value))) this.giveUp();
  }

  private endLine(to: u32): void {
    this.inLine = false;
    this.lines.add(this.lineFrom, to - this.lineFrom, this.parser.separator);
  }

  /** Bytes of the current event up to an address in this chunk. */
  private sizeTo(at: usize): u32 {
    return (this.kept.size as u32) + ((at - this.from) as u32);
  }

  private fits(to: usize): bool {
    return (this.sizeTo(to) as u64) + (this.lines.count as u64) * (LINE_SIZE as u64) <= (this.most as u64);
  }

  /** It passes to its end. */
  private giveUp(): void {
    this.unedited++;
    this.isOpen = false;
    this.inLine = false;
    this.passes = true;
    this.sendKept();
  }

  /** @param to behind its last byte, in this chunk */
  private endEvent(to: usize): void {
    const size = this.sizeTo(to);
    if (!this.fits(to) || !hasRoom(COPIES * (size as u64) + (length(this.chunk) as u64))) {
      this.giveUp();
      return;
    }
    this.isOpen = false;
    const isCut = this.kept.size > 0;
    if (isCut) {
      this.kept.bytes(between(this.from, to));
      this.unsent = to;
    }
    const base = isCut ? this.kept.start : this.from;
    const data = this.lines.text(base, this.arena);
    const edits = newEdits(length(data) as u32, this.arena);
    if (length(data) > 0) this.editor.edit(data, edits);
    if (edits.count === 0) this.sendKept();
    else {
      if (!isCut) this.send(this.from);
      this.splice(base, base + (size as usize), edits);
      this.unsent = to;
      this.kept.truncate(0);
    }
  }

  private splice(base: usize, end: usize, edits: Edits): void {
    const lines = this.lines;
    const out = this.output;
    let at = base;
    for (let i = 0; i < edits.count; i++) {
      lines.find(edits.fromAt(i));
      const from = base + (lines.offset as usize);
      out.bytes(between(at, from));
      // A new first byte could be a space, which a reader would take for the separator's, or stand in a name.
      if (i === 0 || at < from) {
        if (lines.separator === Separator.Absent) out.byte(COLON);
        if (lines.separator !== Separator.ColonAndSpace) out.byte(SPACE);
      }
      writeInLine(edits.textAt(i), out);
      lines.find(edits.toAt(i));
      at = base + (lines.offset as usize);
    }
    out.bytes(between(at, end));
  }

  /** The chunk ends within an event: what has come of it stays here. */
  private keep(): void {
    const end = limit(this.chunk);
    if (!this.fits(end) || !hasRoom(COPIES * (this.sizeTo(end) as u64) + (length(this.chunk) as u64))) {
      this.giveUp();
      return;
    }
    if (this.out !== null) this.send(this.from);
    this.kept.bytes(between(this.from, end));
  }

  /** What goes on of this chunk. */
  private get written(): Span {
    const end = this.isOpen ? this.from : limit(this.chunk);
    if (this.out === null) return between(this.unsent, end);
    if (this.unsent < end) this.send(end);
    return this.output.written;
  }

  private get output(): Writer {
    const out = this.out;
    if (out !== null) return out;
    const fresh = newWriter(this.arena, (this.kept.size as usize) + (length(this.chunk) as usize) + 64);
    this.out = fresh;
    return fresh;
  }

  /** Writes what has not been written of the chunk, up to an address in it. */
  private send(to: usize): void {
    this.output.bytes(between(this.unsent, to));
    this.unsent = to;
  }

  private sendKept(): void {
    if (this.kept.size === 0) return;
    this.output.bytes(this.kept.written);
    this.kept.truncate(0);
  }
}

/** An end of a line is white space in JSON, as is the space that takes its place. */
function writeInLine(text: Span, out: Writer): void {
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    out.byte(c === LINE_FEED || c === CARRIAGE_RETURN ? SPACE : c);
  }
}

/**
 * At the beginning of a stream.
 * @param most bytes of an event that are kept
 * @param arena where the current event is kept, as long as the stream passes: four times `most` at the worst
 */
export function newRewriter<E extends DataEditor>(editor: E, most: u32, arena: Arena): Rewriter<E> {
  const rewriter = make<Rewriter<E>>(arena);
  rewriter.editor = editor;
  rewriter.most = most;
  rewriter.parser = newParser(arena);
  rewriter.lines = newDataLines(arena);
  rewriter.kept = newWriter(arena, 0);
  return rewriter;
}
