import { Span, NONE } from '../bytes/span';
import { MISSING, Value } from './value';

/** Why the rendering that is under way fails, or NONE. */
let why: Span = NONE;

export function clearFault(): void {
  why = NONE;
}

/** The first reason is the one that is told. */
export function fail(reason: Span): Value {
  if (why === NONE) why = reason;
  return MISSING;
}

export function fault(): Span {
  return why;
}

export function failed(): bool {
  return why !== NONE;
}
