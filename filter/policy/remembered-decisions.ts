import { Noun } from '../mcp/nouns';
import { hashOf } from '../bytes/hash';
import { hasRoom } from '../bytes/room';
import { Span, combined, equals, length, pointer, span } from '../bytes/span';

/**
 * What the authorization rules have said of names, as this VM remembers it: of a list of 1,000 tools each request asks the same
 * 1,000 questions. An answer is used for the same question alone, which is compared as a whole, its name byte by byte. It has
 * its place by a hash, among four, and takes that of another where all are taken: a client or server that chooses names for
 * their hash makes others be decided again, and nothing be decided otherwise or searched for longer.
 */
const WAYS: usize = 4;
const PLACES: usize = 8192;
/** A place is two lines of a processor's cache, and what is asked of a short name has room in the first. */
const PLACE: usize = 128;
const LINE: usize = 64;

/** One answer: the name follows. */
@unmanaged
export class RememberedDecision {
  /** Of the rules that hold, see rule-sets.ts; 0: the place is free. */
  private rules: u64;
  /** What is asked but for the name, see `questionOf`. */
  private question: u64;
  /** What was answered; 0: nothing yet. */
  answer: u32;

  get isFree(): bool {
    return this.rules === 0;
  }

  answers(rules: u64, question: u64, name: Span): bool {
    if (this.rules !== rules || this.question !== question) return false;
    return equals(span(this.name, length(name) as u32), name);
  }

  private get name(): usize {
    return changetype<usize>(this) + offsetof<RememberedDecision>();
  }

  begin(rules: u64, question: u64, name: Span): RememberedDecision {
    this.rules = rules;
    this.question = question;
    this.answer = 0;
    memory.copy(this.name, pointer(name), length(name) as usize);
    return this;
  }
}

/** Longer names are decided each time. */
const LONGEST: i32 = (PLACE - offsetof<RememberedDecision>()) as i32;

/** The places, 1 MiB; 0 until they are needed first. */
let places: usize = 0;
/** Which of four goes next. */
let hand: usize = 0;

/**
 * The answer to a question, or the place for it, where `answer` is 0; null: it is not remembered.
 * @param rules the number of the set that holds. @param facts bits of Hint and Fact
 */
export function rememberedDecision(
  rules: u64,
  noun: Noun,
  server: i32,
  name: Span,
  facts: u32,
): RememberedDecision | null {
  if (length(name) > LONGEST || !havePlaces()) return null;
  const question = questionOf(noun, server, length(name), facts);
  const hash = (combined(combined(hashOf(name) as u64, question), rules) >> 32) as usize;
  const set = hash & (PLACES - 1) & ~(WAYS - 1);
  for (let i: usize = 0; i < WAYS; i++) {
    // Most are found where they are looked for first: each further place may be one that the processor has to wait for.
    const decision = decisionAt(set | ((hash + i) & (WAYS - 1)));
    if (decision.answers(rules, question, name)) return decision;
    if (decision.isFree) return decision.begin(rules, question, name);
  }
  hand = (hand + 1) & (WAYS - 1);
  return decisionAt(set | hand).begin(rules, question, name);
}

function decisionAt(place: usize): RememberedDecision {
  return changetype<RememberedDecision>(places + place * PLACE);
}

/** The length of the name is part of it, so that two names are compared only where they have the same. @param facts of 16 bits */
function questionOf(noun: Noun, server: i32, length: i32, facts: u32): u64 {
  return ((facts as u64) << 48) | ((server as u32 as u64) << 16) | ((noun as u64) << 8) | (length as u64);
}

function havePlaces(): bool {
  const size = PLACES * PLACE;
  if (places !== 0) return true;
  if (!hasRoom((size + LINE) as u64)) return false;
  places = (heap.alloc(size + LINE) + LINE - 1) & ~(LINE - 1);
  memory.fill(places, 0, size);
  return true;
}
