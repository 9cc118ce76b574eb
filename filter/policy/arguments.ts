import { Arena, make } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, equals, startsWith, NONE } from '../bytes/span';
import { decimalOf } from '../json/decimal';
import { folded } from '../json/folded';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { ArgumentTest, ArgumentTestKind, ArgumentValue } from '../model/argument-test';
import { ArgumentNode, ArgumentTree } from '../model/argument-tree';

/** What is at the end of a pointer. */
const enum Place {
  Absent,
  Value,
  /** The way leads through what is neither an object nor a list, or through a list by a name. */
  Unreadable,
  /** A member on the way stands there twice, or one beside it could be taken for it: two readers may find two values. */
  Ambiguous,
}

/** What a call's arguments say to a test, or to several. */
export const enum Fit {
  No,
  Yes,
  /** The value is of another kind than the test is about, or cannot be read. */
  Unreadable,
  Ambiguous,
}

/** What one walk has found in the arguments of a call. */
@unmanaged
export class ArgumentFacts {
  private arena: Arena;
  /** By the number of the place: what is there, a byte; and the value, eight. */
  private places: usize;
  private values: usize;

  /** All of several tests. Never anything else where one of them is ambiguous. @param tests of ArgumentTest */
  fitAll(tests: List): Fit {
    let fit: Fit = Fit.Yes;
    for (let i = 0; i < tests.count; i++) {
      const one = this.fit(changetype<ArgumentTest>(tests.at(i) as usize));
      if (one === Fit.Ambiguous) return one;
      if (one === Fit.No || (one === Fit.Unreadable && fit === Fit.Yes)) fit = one;
    }
    return fit;
  }

  private fit(test: ArgumentTest): Fit {
    const number = test.node.number as usize;
    const place: Place = load<u8>(this.places + number);
    if (place === Place.Ambiguous) return Fit.Ambiguous;
    if (place === Place.Unreadable) return Fit.Unreadable;
    const isThere = place === Place.Value;
    if (test.kind === ArgumentTestKind.Absent) return isThere ? Fit.No : Fit.Yes;
    if (!isThere) return Fit.No;
    if (test.kind === ArgumentTestKind.Present) return Fit.Yes;
    const value = load<Span>(this.values + (number << 3));
    switch (test.kind) {
      case ArgumentTestKind.Prefix:
        return fitsPrefix(test, value, this.arena);
      case ArgumentTestKind.Range:
        return fitsRange(test, value, this.arena);
      default:
        return fitsOne(test, value, this.arena);
    }
  }

  begin(tree: ArgumentTree, args: Span, arena: Arena): ArgumentFacts {
    this.arena = arena;
    this.places = arena.zeroed((tree.count as usize) + 1);
    this.values = arena.allocate(((tree.count as usize) + 1) << 3);
    // A call without arguments has none of them.
    if (args !== NONE) this.readBelow(tree.root, args);
    return this;
  }

  /** No deeper than the tree, whose depth is the configuration's. */
  private readBelow(node: ArgumentNode, value: Span): void {
    if (node.children.count === 0) return;
    const kind = kindOf(value);
    if (kind === Kind.Object) this.readMembers(node, value);
    else if (kind === Kind.Array) this.readElements(node, value);
    else for (let i = 0; i < node.children.count; i++) this.noteAll(node.childAt(i), Place.Unreadable);
  }

  private readMembers(node: ArgumentNode, object: Span): void {
    for (const walk = walkThrough(object, this.arena); walk.next();) {
      const name = textOf(walk.name, this.arena);
      if (name === NONE) {
        // A lone surrogate has no UTF-8 form: what a reader makes of it, or leaves out, is its own affair.
        for (let i = 0; i < node.children.count; i++) this.noteAll(node.childAt(i), Place.Ambiguous);
        continue;
      }
      const child = node.childLike(folded(name, this.arena));
      if (child !== null) this.take(child, walk.value, equals(name, child.name));
    }
  }

  private readElements(node: ArgumentNode, list: Span): void {
    for (let i = 0; i < node.children.count; i++) {
      if (node.childAt(i).index < 0) this.noteAll(node.childAt(i), Place.Unreadable);
    }
    let index = 0;
    for (const walk = walkThrough(list, this.arena); index <= node.largestIndex && walk.next(); index++) {
      for (let i = 0; i < node.children.count; i++) {
        if (node.childAt(i).index === index) this.take(node.childAt(i), walk.value, true);
      }
    }
  }

  private take(child: ArgumentNode, value: Span, isSame: bool): void {
    const number = child.number as usize;
    if (!isSame || load<u8>(this.places + number) !== Place.Absent) return this.noteAll(child, Place.Ambiguous);
    store<u8>(this.places + number, Place.Value);
    store<Span>(this.values + (number << 3), value);
    this.readBelow(child, value);
  }

  /** Notes the same for a place and all below it. */
  private noteAll(node: ArgumentNode, place: Place): void {
    store<u8>(this.places + (node.number as usize), place);
    for (let i = 0; i < node.children.count; i++) this.noteAll(node.childAt(i), place);
  }
}

/** @param args the value of `params.arguments`, or NONE where there is none */
export function factsOf(tree: ArgumentTree, args: Span, arena: Arena): ArgumentFacts {
  return make<ArgumentFacts>(arena).begin(tree, args, arena);
}

function fitsPrefix(test: ArgumentTest, value: Span, arena: Arena): Fit {
  const text = kindOf(value) === Kind.String ? textOf(value, arena) : NONE;
  if (text === NONE) return Fit.Unreadable;
  return startsWith(text, test.prefix) ? Fit.Yes : Fit.No;
}

function fitsRange(test: ArgumentTest, value: Span, arena: Arena): Fit {
  const number = kindOf(value) === Kind.Number ? decimalOf(value, arena) : null;
  if (number === null) return Fit.Unreadable;
  const least = test.least;
  if (least !== null && number.compare(least) < 0) return Fit.No;
  const most = test.most;
  return most !== null && number.compare(most) > 0 ? Fit.No : Fit.Yes;
}

/** A value of a kind that none of them has may be another's spelling of one: a server that takes "5" for 5 is none of ours. */
function fitsOne(test: ArgumentTest, value: Span, arena: Arena): Fit {
  const kind = kindOf(value);
  const text = kind === Kind.String ? textOf(value, arena) : NONE;
  const number = kind === Kind.Number ? decimalOf(value, arena) : null;
  if ((kind === Kind.String && text === NONE) || (kind === Kind.Number && number === null)) return Fit.Unreadable;
  const isBoolean = kind === Kind.True || kind === Kind.False;
  let fit: Fit = Fit.Unreadable;
  for (let i = 0; i < test.values.count; i++) {
    const wanted = changetype<ArgumentValue>(test.values.at(i) as usize);
    if (isBoolean && (wanted.kind === Kind.True || wanted.kind === Kind.False)) fit = Fit.No;
    if (wanted.kind !== (kind as u32)) continue;
    fit = Fit.No;
    if (kind === Kind.String ? equals(text, wanted.text) : kind !== Kind.Number) return Fit.Yes;
    if (kind === Kind.Number && number!.compare(wanted.number!) === 0) return Fit.Yes;
  }
  return fit;
}
