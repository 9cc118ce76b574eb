import { Arena, newArena } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';

let arena: Arena = newArena(64);

export function arenaOpen(blockSize: usize): void {
  arena.dispose();
  arena = newArena(blockSize);
}

export function arenaAllocate(size: usize): usize {
  return arena.allocate(size);
}

export function arenaZeroed(size: usize): usize {
  return arena.zeroed(size);
}

export function arenaCopy(text: usize, count: u32): Span {
  return arena.copy(span(text, count));
}

export function arenaHeld(): usize {
  return arena.held;
}

export function arenaReset(): void {
  arena.reset();
}

let mark: u64 = 0;

export function arenaMark(): void {
  mark = arena.mark;
}

export function arenaGiveBack(): void {
  arena.giveBackTo(mark);
}
