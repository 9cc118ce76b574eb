import { newArena } from '../../../filter/bytes/arena';
import { length, pointer, span } from '../../../filter/bytes/span';
import { nameBit } from '../../../filter/json/plain-members';
import { newScanner, Scanner, SCANNER_SIZE } from '../../../filter/json/scanner';
import { Token } from '../../../filter/json/token';

const memoryOfScanner = newArena(4096);
let scanner: Scanner = newScanner(memoryOfScanner.zeroed(SCANNER_SIZE), 0);

/** Begins another document. */
export function scannerOpen(watch: i32): void {
  memoryOfScanner.reset();
  scanner = newScanner(memoryOfScanner.zeroed(SCANNER_SIZE), watch);
}

/** @param name of the one member that is looked for, whatever object is open */
export function scannerSeek(name: usize, count: u32): void {
  scanner.sought = nameBit(span(name, count));
}

export function scannerFeed(text: usize, count: u32): void {
  scanner.feed(span(text, count));
}

export function scannerNext(): Token {
  return scanner.next();
}

export function scannerStart(): u32 {
  return scanner.start;
}

export function scannerFinish(): u32 {
  return scanner.finish;
}

export function scannerDepth(): i32 {
  return scanner.depth;
}

export function scannerFault(): i32 {
  return scanner.fault;
}

export function scannerPosition(): u32 {
  return scanner.position;
}

export function scannerComplete(): bool {
  return scanner.complete();
}

export function scannerKey(): usize {
  return pointer(scanner.text);
}

export function scannerKeyKept(): i32 {
  return length(scanner.text);
}

export function scannerKeyLength(): u32 {
  return scanner.textLength;
}
