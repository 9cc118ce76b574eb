import { newArena } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { passing, replacing, ResponsePlan, Way } from '../../../filter/response/plan';

const arena = newArena(1024);
let plan: ResponsePlan = passing(null, arena);

/** @param text in the place of the response, not known yet where it is empty and at 0 */
export function planReplacing(text: usize, count: u32): void {
  arena.reset();
  plan = replacing(arena.copy(span(text, count)), arena);
}

export function planLearn(text: usize, count: u32): void {
  plan.text = arena.copy(span(text, count));
}

export function planText(): Span {
  return plan.text;
}

export function planNextPart(): Span {
  return plan.nextPart();
}

export function planBegun(): bool {
  return plan.begun;
}

export function planReplaces(): bool {
  return plan.way === Way.Replace;
}

export function planPassing(): void {
  arena.reset();
  plan = passing(null, arena);
}
