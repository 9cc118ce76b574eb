import { SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { NameTable } from '../bytes/names';
import { Fields, fieldsIn, FIXED64, LENGTH_DELIMITED, VARINT } from '../bytes/protobuf';
import {
  BOOLEAN,
  ENTRIES,
  entryName,
  entryValue,
  LIST,
  NUMBER,
  readEntry,
  STRING,
  STRUCT,
} from '../bytes/protobuf-struct';
import { Span, between, limit, pointer, NONE } from '../bytes/span';
import { ClaimNode, ClaimTest, ClaimTree, PatternOn, PatternTest, ScalarTest, testOf } from '../model/claim-tree';
import { matches } from '../model/glob';

/** What a token says to the questions of a tree. */
@unmanaged
export class ClaimAnswers {
  /** A byte for each question, by its number. */
  private yes: usize;

  has(test: u32): bool {
    return load<u8>(this.yes + (test as usize)) !== 0;
  }

  note(test: u32): void {
    // Number 0 is the question that nobody asked; what it is answered is never read.
    store<u8>(this.yes + (test as usize), 1);
  }

  begin(questions: u32, arena: Arena): ClaimAnswers {
    this.yes = arena.zeroed((questions as usize) + 1);
    return this;
  }
}

/**
 * Answers all questions in one walk through the claims. What is absent, null, or of another type than a question is
 * about answers no.
 * @param claims the payload, a serialized `google.protobuf.Struct`; NONE: there is no token, and every answer is no
 */
export function answersIn(tree: ClaimTree, claims: Span, arena: Arena): ClaimAnswers {
  const answers = make<ClaimAnswers>(arena).begin(tree.count, arena);
  if (claims !== NONE) readMembers(tree.root, claims, answers, arena);
  return answers;
}

/** No deeper than the tree, whose depth is the configuration's. */
function readMembers(node: ClaimNode, struct: Span, answers: ClaimAnswers, arena: Arena): void {
  const entries = fieldsIn(struct, arena);
  while (entries.next()) {
    if (!readEntry(entries, arena) || entryValue === NONE) continue;
    const member = node.members.get(entryName);
    if (member !== 0) readClaim(changetype<ClaimNode>(member), entryValue, answers, arena);
  }
}

function readClaim(node: ClaimNode, value: Span, answers: ClaimAnswers, arena: Arena): void {
  const kind = fieldsIn(value, arena);
  if (!kind.next()) return;
  if (kind.type === LENGTH_DELIMITED) {
    if (kind.field === STRING) readText(node, kind.bytes, answers);
    else if (kind.field === LIST) readList(node, kind.bytes, answers, arena);
    else if (kind.field === STRUCT && node.members.count > 0) readMembers(node, kind.bytes, answers, arena);
  } else readScalar(node, kind, answers);
}

function readText(node: ClaimNode, text: Span, answers: ClaimAnswers): void {
  const tests = node.texts.get(text);
  if (tests !== 0) {
    answers.note(testOf(tests, ClaimTest.Equals));
    answers.note(testOf(tests, ClaimTest.Contains));
  }
  readPatterns(node, text, PatternOn.Text, answers);
  const scopes = node.scopes;
  if (scopes !== null) readScopes(scopes, text, answers);
}

function readList(node: ClaimNode, list: Span, answers: ClaimAnswers, arena: Arena): void {
  const scopes = node.scopes;
  const items = fieldsIn(list, arena);
  while (items.next()) {
    if (items.field !== ENTRIES || items.type !== LENGTH_DELIMITED) continue;
    const kind = fieldsIn(items.bytes, arena);
    if (!kind.next() || kind.field !== STRING || kind.type !== LENGTH_DELIMITED) continue;
    const tests = node.texts.get(kind.bytes);
    if (tests !== 0) {
      answers.note(testOf(tests, ClaimTest.InList));
      answers.note(testOf(tests, ClaimTest.Contains));
    }
    readPatterns(node, kind.bytes, PatternOn.List, answers);
    if (scopes !== null) answers.note(scopes.get(kind.bytes) as u32);
  }
}

function readPatterns(node: ClaimNode, text: Span, on: PatternOn, answers: ClaimAnswers): void {
  for (let i = 0; i < node.patterns.count; i++) {
    const asked = changetype<PatternTest>(node.patterns.at(i) as usize);
    if ((asked.on & on) !== 0 && !answers.has(asked.test) && matches(asked.pattern, text)) answers.note(asked.test);
  }
}

/** RFC 6749 §3.3: scopes with a space between. */
function readScopes(scopes: NameTable, text: Span, answers: ClaimAnswers): void {
  let from = pointer(text);
  for (let at = from; at <= limit(text); at++) {
    if (at < limit(text) && load<u8>(at) !== SPACE) continue;
    if (at > from) answers.note(scopes.get(between(from, at)) as u32);
    from = at + 1;
  }
}

/** Numbers come as doubles, so only those are asked for that a double holds exactly, see config/authorization.ts. */
function readScalar(node: ClaimNode, kind: Fields, answers: ClaimAnswers): void {
  const isNumber = kind.field === NUMBER && kind.type === FIXED64;
  if (!isNumber && !(kind.field === BOOLEAN && kind.type === VARINT)) return;
  const value: f64 = isNumber ? load<f64>(pointer(kind.bytes)) : kind.varint !== 0 ? 1 : 0;
  for (let i = 0; i < node.scalars.count; i++) {
    const asked = changetype<ScalarTest>(node.scalars.at(i) as usize);
    if (asked.isNumber === isNumber && asked.value === value) answers.note(asked.test);
  }
}
