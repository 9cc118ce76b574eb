import { Arena } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { Kind, kindOf, walkThrough } from '../json/reader';

/** What a tool says of itself (MCP schema, ToolAnnotations), a bit each. */
export const enum Hint {
  ReadOnly = 1,
  Destructive = 2,
  Idempotent = 4,
  OpenWorld = 8,
  /** All of them are known: each stands in the definition once, as true or false, or not at all. */
  Known = 16,
}

/** What they are where a definition does not say them (MCP schema). */
const DEFAULTS: u32 = Hint.Destructive | Hint.OpenWorld;

const ANNOTATIONS = literal('annotations');
const READ_ONLY = literal('readOnlyHint');
const DESTRUCTIVE = literal('destructiveHint');
const IDEMPOTENT = literal('idempotentHint');
const OPEN_WORLD = literal('openWorldHint');

/** The bit of a hint by its name, or 0. */
export function hintOf(name: Span): u32 {
  if (name === NONE) return 0;
  if (equals(name, READ_ONLY)) return Hint.ReadOnly;
  if (equals(name, DESTRUCTIVE)) return Hint.Destructive;
  if (equals(name, IDEMPOTENT)) return Hint.Idempotent;
  return equals(name, OPEN_WORLD) ? Hint.OpenWorld : 0;
}

/**
 * The hints of a definition as bits of Hint; 0 where two readers could read two of them: a member that stands there twice,
 * or is something else than true or false.
 * @param tool an object, scanned
 */
export function hintsIn(tool: Span, arena: Arena): u32 {
  let annotations = NONE;
  for (const walk = walkThrough(tool, arena); walk.next();) {
    const key = walk.key(arena);
    if (key === NONE || !equals(key, ANNOTATIONS)) continue;
    if (annotations !== NONE) return 0;
    annotations = walk.value;
  }
  if (annotations === NONE) return DEFAULTS | Hint.Known;
  if (kindOf(annotations) !== Kind.Object) return 0;
  let hints = DEFAULTS;
  let seen: u32 = 0;
  for (const walk = walkThrough(annotations, arena); walk.next();) {
    const hint = hintOf(walk.key(arena));
    if (hint === 0) continue;
    if ((seen & hint) !== 0) return 0;
    seen |= hint;
    if (walk.kind === Kind.True) hints |= hint;
    else if (walk.kind === Kind.False) hints &= ~hint;
    else return 0;
  }
  return hints | Hint.Known;
}
