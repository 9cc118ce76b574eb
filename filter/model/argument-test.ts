import { List } from '../bytes/list';
import { Span } from '../bytes/span';
import { Decimal } from '../json/decimal';
import { ArgumentNode } from './argument-tree';

/** What a test asks of the value that a pointer leads to. */
export const enum ArgumentTestKind {
  /** It is one of some texts, numbers, booleans and null; where it has to equal one, they are one. */
  Enum,
  /** It is a text that begins with this. */
  Prefix,
  /** It is a number not below one limit and not above the other. */
  Range,
  /** There is none. */
  Absent,
  /** There is one. */
  Present,
}

/** A value that a test allows. */
@unmanaged
export class ArgumentValue {
  /** Its kind in JSON. */
  kind: u32;
  /** A text, without quotes and escapes. */
  text: Span;
  /** The value of a number, else null. */
  number: Decimal | null;
}

/** One test on the arguments of a call. */
@unmanaged
export class ArgumentTest {
  /** As the configuration has it (RFC 6901). */
  pointer: Span;
  node: ArgumentNode;
  kind: ArgumentTestKind;
  /** Elements are ArgumentValue. */
  values: List;
  prefix: Span;
  /** Null: there is no such limit. */
  least: Decimal | null;
  most: Decimal | null;
}
