/** What a scanner reports, and why it stops. */
export const enum Token {
  /** The chunk is used up: feed the next one, or ask `complete`. */
  More,
  /** Not JSON: `fault` says why, `position` where. The scanner stays there. */
  Invalid,
  ObjectStart,
  ObjectEnd,
  ArrayStart,
  ArrayEnd,
  /** A member's name; unescaped in `text`, as that of every string. */
  Key,
  String,
  Number,
  /** true, false or null */
  Word,
}

export const enum Fault {
  None,
  Syntax,
  /** RFC 8259 §8.1: text between systems is UTF-8. Decoders differ on bad bytes, so two readers would see two names. */
  Utf8,
  /** Nested deeper than MAX_DEPTH: recursive readers behind us would overflow their stacks. */
  Depth,
}

export const MAX_DEPTH: i32 = 512;
/** Longer strings are compared by nobody; their first bytes and true length are kept. */
export const TEXT_CAPACITY: u32 = 64;

/** The words, as they stand in memory. */
export const TRUE: u32 = 0x65757274;
export const NULL: u32 = 0x6c6c756e;
/** `alse`. */
export const FALSE_TAIL: u32 = 0x65736c61;
