import { Closing } from '../../../filter/body/closing';
import { KeptBody } from '../../../filter/body/kept-body';
import { isDrained, isLarge } from '../../../filter/body/reading';
import { make, newArena } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';

const arena = newArena(256);
let kept: KeptBody = make<KeptBody>(arena);
let closing: Closing = make<Closing>(arena);

export function bodyOpen(): void {
  kept.release();
  arena.reset();
  kept = make<KeptBody>(arena);
  closing = make<Closing>(arena);
}

export function bodyTake(text: usize, count: u32, isShownOnce: bool): void {
  kept.take(span(text, count), isShownOnce, arena);
}

export function bodyKept(): Span {
  return kept.bytes;
}

export function bodyIsWhole(): bool {
  return kept.isWhole;
}

/** Bytes that were read. */
export function bodyRead(): u32 {
  return kept.read;
}

export function bodyRelease(): void {
  kept.release();
}

export function closingMayFollow(bytes: u32): bool {
  return closing.mayFollow(bytes);
}

export function closingPass(text: usize, count: u32, at: u32, last: bool, mayEndInTrailers: bool): Span {
  return closing.pass(span(text, count), at, last, mayEndInTrailers, arena);
}

export function closingKeepsBack(): bool {
  return closing.keepsBack;
}

export function bodyIsLarge(held: u32, heldBody: u32, endsInTrailers: bool): bool {
  return isLarge(held, heldBody, endsInTrailers);
}

export function bodyIsDrained(received: u32, from: u32, drainBytes: u32, awaitsId: bool): bool {
  return isDrained(received, from, drainBytes, awaitsId);
}
