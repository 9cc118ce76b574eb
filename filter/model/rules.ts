import { Arena, make } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, literal } from '../bytes/span';
import { isExact, matches } from './glob';
import { NameSet, newNameSet } from './name-set';
import { overlap } from './overlap';

const STAR = literal('*');

/** How long a call of some tools may take until its answer begins. */
@unmanaged
export class ToolTimeout {
  /** On names as the server has them. */
  pattern: Span;
  milliseconds: u32;
}

/** How large the results of some tools may be. */
@unmanaged
export class ResultLimit {
  /** On names as the server has them; NONE: it is about all. */
  pattern: Span;
  /** Bytes of the message; 0: any number. */
  most: u32;
  /** Text is cut, else the whole is refused. */
  cuts: bool;
}

/** Which of a server's tools, or of another noun, may be used through this gateway at all, by their own names. */
@unmanaged
export class Rules {
  /** Null: all. */
  allow: NameSet | null;
  deny: NameSet;
  /** Both have been held against a complete list; see flow/audit.ts. */
  audited: bool;
  /** They leave something to show. */
  showAny: bool;
  /** Elements are ToolTimeout, the one that goes before others first; null: there are none. */
  timeouts: List | null;

  /** Elements are ResultLimit, the one that goes before others first; null: there are none. */
  results: List | null;

  /** What the results of this name are held to of its own, or `common`. */
  resultLimitOf(name: Span, common: ResultLimit | null): ResultLimit | null {
    const results = this.results;
    if (results === null) return common;
    for (let i = 0; i < results.count; i++) {
      const found = changetype<ResultLimit>(results.at(i) as usize);
      if (matches(found.pattern, name)) return found;
    }
    return common;
  }

  /** The milliseconds that a call of this name has of its own, or `common`. */
  timeoutOf(name: Span, common: u32): u32 {
    const timeouts = this.timeouts;
    if (timeouts === null) return common;
    for (let i = 0; i < timeouts.count; i++) {
      const timeout = changetype<ToolTimeout>(timeouts.at(i) as usize);
      if (matches(timeout.pattern, name)) return timeout.milliseconds;
    }
    return common;
  }

  /** They say nothing. */
  get admitAll(): bool {
    return this.allow === null && this.deny.patterns.count === 0;
  }

  /** Deny wins. */
  admit(name: Span): bool {
    const allow = this.allow;
    return (allow === null || allow.has(name)) && !this.deny.has(name);
  }

  /** Whether one of the names that a pattern matches may be admitted. Never false where one is. */
  mayAdmit(pattern: Span): bool {
    if (isExact(pattern)) return this.admit(pattern);
    if (this.deny.covers(pattern)) return false;
    const allow = this.allow;
    if (allow === null) return true;
    for (let i = 0; i < allow.patterns.count; i++) {
      const allowed: Span = allow.patterns.at(i);
      if (!this.deny.covers(allowed) && overlap(allowed, pattern)) return true;
    }
    return false;
  }
}

/** @param allow null: all */
export function newRules(allow: List | null, deny: List, arena: Arena): Rules {
  const rules = make<Rules>(arena);
  if (allow !== null) rules.allow = setOf(allow, arena);
  rules.deny = setOf(deny, arena);
  rules.showAny = rules.mayAdmit(STAR);
  return rules;
}

function setOf(patterns: List, arena: Arena): NameSet {
  const set = newNameSet(arena);
  for (let i = 0; i < patterns.count; i++) set.add(patterns.at(i));
  return set;
}
