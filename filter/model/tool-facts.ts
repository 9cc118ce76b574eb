/** What is known of a tool by its definition: bits, those of `Hint` and these. 0: nothing is. */
export const enum Fact {
  /** What its hints say may be believed: the definition is pinned, or the server is trusted. */
  Trusted = 32,
  /** It has the definition that was pinned. */
  Pinned = 64,
  /** It has another one. Neither: it is not pinned. */
  Changed = 128,
  /** The list of its server has it, so that the others say something. */
  Listed = 256,
}

/** What is known of a tool that no list has, or of which nobody asks for anything. */
export const NO_FACTS: u32 = 0;

/**
 * What is known of two definitions under one name, of which nobody can say which one is called: no more than both say, and
 * nothing that gives somebody something.
 */
export function factsOfBoth(a: u32, b: u32): u32 {
  if (a === b) return a;
  return Fact.Listed | ((a | b) & Fact.Changed);
}
