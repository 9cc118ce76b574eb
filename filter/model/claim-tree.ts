import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { NameTable, newNameTable } from '../bytes/names';
import { Span, equals } from '../bytes/span';

/**
 * What all rules together want to know of a token's claims, as a tree of the names that lead to them, so that one walk
 * through the token answers everything. Each question has a number from 1, and each is there once, however many rules
 * ask it.
 */
export const enum ClaimTest {
  /** The claim is this text. */
  Equals,
  /** It is a list that has this text. */
  InList,
  /** It is this text, or a list that has it. */
  Contains,
}

/** How many kinds of tests on a text there are. */
const TEXT_TESTS: usize = 3;

/** Which claims a pattern is held against. */
export const enum PatternOn {
  Text = 1,
  List = 2,
}

/** A question whether a text fits a pattern. */
@unmanaged
export class PatternTest {
  pattern: Span;
  /** Bits of PatternOn. */
  on: u32;
  test: u32;
}

/** A question whether a claim is a number, or true, or false. */
@unmanaged
export class ScalarTest {
  isNumber: bool;
  value: f64;
  test: u32;
}

/** One name on the way to claims, and what is asked of the claim that it names. */
@unmanaged
export class ClaimNode {
  arena: Arena;
  /** The names within, of ClaimNode. */
  members: NameTable;
  /** By text: addresses of one number for each kind of ClaimTest, 0 where it is not asked. */
  texts: NameTable;
  /** Elements are PatternTest. */
  patterns: List;
  /** Elements are ScalarTest. */
  scalars: List;
  /** By scope: the number of its question. Null where this claim says no scopes. */
  scopes: NameTable | null;

  /** The node of a name within, made if need be. */
  within(name: Span): ClaimNode {
    const found = this.members.get(name);
    if (found !== 0) return changetype<ClaimNode>(found);
    const node = newClaimNode(this.arena);
    this.members.put(name, changetype<usize>(node));
    return node;
  }
}

export function newClaimNode(arena: Arena): ClaimNode {
  const node = make<ClaimNode>(arena);
  node.arena = arena;
  node.members = newNameTable(arena);
  node.texts = newNameTable(arena);
  node.patterns = newList(arena);
  node.scalars = newList(arena);
  return node;
}

/** The number of a question on a text, or 0 where nobody asks it. @param tests of a node, for that text */
export function testOf(tests: usize, kind: ClaimTest): u32 {
  return load<u32>(tests + ((kind as usize) << 2));
}

@unmanaged
export class ClaimTree {
  root: ClaimNode;
  /** By scope: the number of the question whether the token has it. */
  scopes: NameTable;
  /** How many questions there are; their numbers go up to it. */
  count: u32;

  /** @param text kept. @returns the number of the question */
  askText(node: ClaimNode, kind: ClaimTest, text: Span): u32 {
    let tests = node.texts.get(text);
    if (tests === 0) {
      tests = node.arena.zeroed(TEXT_TESTS << 2);
      node.texts.put(text, tests);
    }
    if (testOf(tests, kind) === 0) store<u32>(tests + ((kind as usize) << 2), ++this.count);
    return testOf(tests, kind);
  }

  /** @param pattern simplified; kept. @param on bits of PatternOn */
  askPattern(node: ClaimNode, pattern: Span, on: u32): u32 {
    for (let i = 0; i < node.patterns.count; i++) {
      const asked = changetype<PatternTest>(node.patterns.at(i) as usize);
      if (asked.on === on && equals(asked.pattern, pattern)) return asked.test;
    }
    const test = make<PatternTest>(node.arena);
    test.pattern = pattern;
    test.on = on;
    test.test = ++this.count;
    node.patterns.push(changetype<usize>(test) as u64);
    return test.test;
  }

  /** @param value of true and false: 1 and 0 */
  askScalar(node: ClaimNode, isNumber: bool, value: f64): u32 {
    for (let i = 0; i < node.scalars.count; i++) {
      const asked = changetype<ScalarTest>(node.scalars.at(i) as usize);
      if (asked.isNumber === isNumber && asked.value === value) return asked.test;
    }
    const test = make<ScalarTest>(node.arena);
    test.isNumber = isNumber;
    test.value = value;
    test.test = ++this.count;
    node.scalars.push(changetype<usize>(test) as u64);
    return test.test;
  }

  askScope(scope: Span): u32 {
    if (this.scopes.get(scope) === 0) this.scopes.put(scope, ++this.count);
    return this.scopes.get(scope) as u32;
  }
}

/** @param scopeClaims names of claims that say scopes, of Span */
export function newClaimTree(scopeClaims: List, arena: Arena): ClaimTree {
  const tree = make<ClaimTree>(arena);
  tree.root = newClaimNode(arena);
  tree.scopes = newNameTable(arena);
  for (let i = 0; i < scopeClaims.count; i++) tree.root.within(scopeClaims.at(i)).scopes = tree.scopes;
  return tree;
}
