import { Arena, newArena, scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { InputReader, newInputReader, Takes } from '../../../filter/response/input-reader';
import { readTask, TaskState } from '../../../filter/upstream/task';

const arena: Arena = newArena(16 << 10);
let reader: InputReader = newInputReader(false, 1024, Takes.Tasks, true, arena);
let state: TaskState = readTask(0, arena);

export function inputReaderOpen(isStream: bool, most: u32, staysDocument: bool): void {
  arena.reset();
  reader = newInputReader(isStream, most, Takes.Tasks, staysDocument, arena);
}

/** Of a server with sessions, for a client of 2026-07-28. */
export function inputReaderOpenOfSessions(isStream: bool, loggedFrom: u32, opensUrls: bool): void {
  arena.reset();
  reader = newInputReader(isStream, 1_000_000, Takes.OfSessions, !isStream, arena);
  reader.loggedFrom = loggedFrom;
  reader.opensUrls = opensUrls;
}

export function inputReaderWrite(bytes: usize, count: u32): Span {
  scratch.reset();
  return reader.write(span(bytes, count), scratch);
}

export function inputReaderEnd(): Span {
  scratch.reset();
  return reader.end(scratch);
}

/** The message that does not go on, or NONE. */
export function inputReaderFound(): Span {
  return reader.required;
}

export function inputReaderIsTask(): bool {
  return reader.isTask;
}

export function inputReaderIsTooLarge(): bool {
  return reader.isTooLarge;
}

/** @returns its id, or NONE. The others are what was read. */
export function taskRead(bytes: usize, count: u32): Span {
  scratch.reset();
  state = readTask(span(bytes, count), scratch);
  return state.id;
}

export function taskStatus(): i32 {
  return state.status;
}

export function taskInterval(): u32 {
  return state.interval;
}

export function taskTtl(): f64 {
  return state.ttl as f64;
}
