import { DOT } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { nearest } from '../bytes/nearest';
import { Span, after, equals, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { pointAt, returned } from './strings';
import { offsetOf } from './dates';
import { Function, functionNames, functionOf, functionRow, isDirect } from './functions';
import { Lexeme, Lexer } from './lexer';
import { pathFault } from './path';
import { MOST_INSTRUCTIONS, MOST_VARIABLES, Op, Program } from './program';
import { NULL, truthValue, Type, valueOf } from './value';
import { numberOf } from './number';

/** Blocks within blocks, parentheses within parentheses. */
export const MOST_DEPTH = 24;
const MOST_ARGUMENTS = 16;

const NIL = literal('nil');
const TRUE = literal('true');
const FALSE = literal('false');
const CONFIG = literal('config');

export const MISSING_VALUE = literal('missing value for command');
const UNDEFINED_VARIABLE = literal('undefined variable');
const UNDEFINED_FUNCTION = literal(' is no function that templates have here');
const DID_YOU_MEAN = literal('; did you mean ');
export const UNEXPECTED = literal('unexpected ');
const IN_COMMAND = literal(' in command');
const NOT_EXECUTABLE = literal('a pipe has to lead into a function');
const HAS_ARGUMENTS = literal('only a function takes arguments');
const NIL_ALONE = literal('nil is not a command');
export const TOO_DEEP = literal('it is nested too deep');
const TOO_LONG = literal('the template is too long');
const TOO_MANY_VARIABLES = literal('it has more variables than 32');
const TOO_MANY_ARGUMENTS = literal('wrong number of arguments for ');
const NO_PIPE = literal('takes nothing from a pipe: write it in front of its argument');
const BAD_NUMBER = literal('a number like this is not served here: ');
const NO_CONSTANT_PATH = literal('a path has to stand in the template as text');
const PATH_NOT_SERVED = literal('this path has what is not served here: ');
const ZONE_NOT_SERVED = literal('this time zone is not served here (UTC, Asia/Shanghai and Asia/Tokyo are)');
const ZONE_CONSTANT = literal('layout and zone have to stand in the template as text');

/** What the last operand was, for what may be said about it. */
const enum Operand {
  Literal,
  Nil,
  Data,
  Function,
  Parenthesized,
}

/**
 * Pipelines, and what they are made of: commands, calls of functions, operands, and the variables that they are declared as
 * (Go, text/template). Each leaves one value. What a template does with it is in compile.ts.
 */
@unmanaged
export class Pipelines {
  arena: Arena;
  lexer: Lexer;
  program: Program;
  lexeme: Lexeme;
  fault: Span;
  position: u32;
  depth: i32;
  /** Names of the variables that can be seen (Span), and how many slots are taken. */
  variables: List;
  /** The slot of one that is being declared, which its own pipeline does not see; -1: none. */
  hidden: i32;
  /** How far the dot is from the data as a whole. */
  dots: i32;
  /** All that the pipeline so far has read comes from the operator. */
  trusted: bool;
  /** Its last function has encoded it for a URL. */
  encoded: bool;
  kind: Operand;
  /** The text of the last operand, where it is a literal. */
  literalText: Span;

  fail(why: Span, what: Span = NONE): void {
    if (this.fault !== NONE) return;
    this.fault = what === NONE ? why : newWriter(this.arena, 64).bytes(why).bytes(what).written;
    this.position = this.lexer.position;
  }

  get failed(): bool {
    return this.fault !== NONE;
  }

  read(): void {
    if (this.failed) {
      this.lexeme = Lexeme.End;
      return;
    }
    this.lexeme = this.lexer.next();
    if (this.is(Lexeme.Invalid)) {
      this.fail(this.lexer.fault);
      this.lexeme = Lexeme.End;
    }
  }

  is(kind: Lexeme): bool {
    return this.lexeme === kind;
  }

  /** Past spaces. */
  readOn(): void {
    this.read();
    while (this.is(Lexeme.Space)) this.read();
  }

  emit(op: Op, operand: i32 = 0, count: i32 = 0, data: u64 = 0): i32 {
    if (this.program.count >= MOST_INSTRUCTIONS) this.fail(TOO_LONG);
    return this.program.add(op, this.lexer.position, operand, count, data);
  }

  /**
   * `$x :=` or `$x =`, where it stands here: the slot, or -1.
   */
  declaration(): i32 {
    if (!this.is(Lexeme.Variable)) return -1;
    const name = this.lexer.text;
    const position = this.lexer.position;
    const behind = this.lookAhead();
    if (behind === Lexeme.Declare) {
      this.readOn();
      this.readOn();
      return (this.hidden = this.introduce(name));
    }
    if (behind === Lexeme.Assign) {
      const slot = this.slotOf(name);
      this.readOn();
      this.readOn();
      return slot;
    }
    this.lexer.position = position;
    return -1;
  }

  /** What follows the current lexeme, spaces left out; nothing is taken. */
  lookAhead(): Lexeme {
    const saved = changetype<Lexer>(this.arena.allocate(offsetof<Lexer>()));
    memory.copy(changetype<usize>(saved), changetype<usize>(this.lexer), offsetof<Lexer>());
    let found = this.lexer.next();
    while (found === Lexeme.Space) found = this.lexer.next();
    memory.copy(changetype<usize>(this.lexer), changetype<usize>(saved), offsetof<Lexer>());
    return found;
  }

  introduce(name: Span): i32 {
    if (this.variables.count >= MOST_VARIABLES) this.fail(TOO_MANY_VARIABLES);
    this.variables.push(name);
    return this.variables.count - 1;
  }

  slotOf(name: Span): i32 {
    for (let i = this.variables.count - 1; i >= 0; i--)
      if (i !== this.hidden && equals(this.variables.at(i), name)) return i;
    this.fail(newWriter(this.arena, 48).bytes(UNDEFINED_VARIABLE).byte(0x20).written, name);
    return 0;
  }

  /** Commands with `|` between, up to `close`, which is taken. Leaves one value. */
  pipeline(close: Lexeme): void {
    this.trusted = true;
    let piped = false;
    for (;;) {
      this.command(piped, close);
      if (this.failed) return;
      if (!this.is(Lexeme.Pipe)) break;
      this.readOn();
      piped = true;
    }
    if (close === Lexeme.Close) this.hidden = -1;
  }

  /** @param piped whether a value is there already */
  command(piped: bool, close: Lexeme): void {
    if (this.is(close) || this.is(Lexeme.Pipe)) return this.fail(MISSING_VALUE);
    this.encoded = false;
    if (this.is(Lexeme.Name) && !this.isWord()) {
      this.callFunction(piped, close);
      return;
    }
    this.operand();
    if (this.failed) return;
    if (piped) return this.fail(NOT_EXECUTABLE);
    if (this.kind === Operand.Nil) return this.fail(NIL_ALONE);
    while (this.is(Lexeme.Space)) this.readOn();
    if (!this.is(close) && !this.is(Lexeme.Pipe)) {
      if (this.is(Lexeme.End)) return this.fail(this.lexer.fault);
      this.fail(
        this.startsOperand()
          ? HAS_ARGUMENTS
          : newWriter(this.arena, 48).bytes(UNEXPECTED).bytes(this.lexer.text).bytes(IN_COMMAND).written,
      );
    }
  }

  isWord(): bool {
    const word = this.lexer.text;
    return equals(word, TRUE) || equals(word, FALSE) || equals(word, NIL);
  }

  startsOperand(): bool {
    switch (this.lexeme) {
      case Lexeme.Name:
      case Lexeme.Field:
      case Lexeme.Dot:
      case Lexeme.Variable:
      case Lexeme.Number:
      case Lexeme.String:
      case Lexeme.Character:
      case Lexeme.OpenParenthesis:
        return true;
      default:
        return false;
    }
  }

  callFunction(piped: bool, close: Lexeme): void {
    const name = this.lexer.text;
    const id = functionOf(name, this.arena);
    if (id < 0) {
      const line = newWriter(this.arena, 96).bytes(name).bytes(UNDEFINED_FUNCTION);
      const meant = nearest(name, functionNames(this.arena), this.arena);
      if (meant !== NONE) line.bytes(DID_YOU_MEAN).bytes(meant);
      return this.fail(line.written);
    }
    const position = this.lexer.position;
    const row = functionRow(id);
    const shortCircuit = id === Function.And || id === Function.Or;
    const direct = isDirect(id);
    // What is piped into one of these gets lost.
    if (piped && direct) {
      if (id !== Function.Print && id !== Function.Println && !shortCircuit) {
        this.lexer.position = position;
        return this.fail(newWriter(this.arena, 96).bytes(name).byte(0x20).bytes(NO_PIPE).written);
      }
      this.emit(Op.Drop);
    }
    const exits = newList(this.arena);
    let count = 0;
    this.readOn();
    while (!this.failed && !this.is(close) && !this.is(Lexeme.Pipe)) {
      if (!this.startsOperand()) {
        this.fail(newWriter(this.arena, 48).bytes(UNEXPECTED).bytes(this.lexer.text).bytes(IN_COMMAND).written);
        return;
      }
      // A second value of `and` and `or` replaces the first.
      if (shortCircuit && count > 0) exits.push(this.emit(id === Function.And ? Op.KeepIfFalse : Op.KeepIfTrue) as u64);
      this.operand();
      if (this.failed) return;
      this.checkConstant(id, count);
      count++;
      if (this.is(Lexeme.Space)) this.readOn();
      else if (!this.is(close) && !this.is(Lexeme.Pipe)) {
        this.fail(newWriter(this.arena, 48).bytes(UNEXPECTED).bytes(this.lexer.text).bytes(IN_COMMAND).written);
        return;
      }
    }
    if (this.failed) return;
    const most = row.most as i32;
    const given = count + (piped && !direct ? 1 : 0);
    // Too few can be a piped value that is missing when it runs; without a pipe it is certain.
    if (given > most || given > MOST_ARGUMENTS || given < (row.least as i32)) {
      this.lexer.position = position;
      return this.fail(TOO_MANY_ARGUMENTS, name);
    }
    this.encoded = id === Function.Urlquery;
    this.kind = Operand.Function;
    if (shortCircuit) {
      for (let i = 0; i < exits.count; i++) this.program.land(exits.at(i) as i32);
      return;
    }
    // A function that tells something of the outside world is no argument's either.
    this.emit(Op.Call, id, count, piped && !direct ? 1 : 0);
  }

  /** What a function is told in the template itself is looked at now. */
  checkConstant(id: Function, index: i32): void {
    const isLiteral = this.kind === Operand.Literal && this.literalText !== NONE;
    if (id === Function.Gjson && index === 0) {
      if (!isLiteral) return this.fail(NO_CONSTANT_PATH);
      this.checkPath(this.literalText);
    } else if (id === Function.Index && index === 1 && isLiteral) this.checkPath(this.literalText);
    else if ((id === Function.DateInZone && (index === 0 || index === 2)) || (id === Function.Date && index === 0)) {
      if (!isLiteral) return this.fail(ZONE_CONSTANT);
      if (index === 2 && offsetOf(this.literalText) === i32.MIN_VALUE) this.fail(ZONE_NOT_SERVED);
    }
  }

  checkPath(path: Span): void {
    const odd = pathFault(path);
    if (odd !== NONE) this.fail(PATH_NOT_SERVED, odd);
  }

  /** One value: a term, and the fields behind it. Reads one lexeme further. */
  operand(): void {
    const position = this.lexer.position;
    this.literalText = NONE;
    const text = this.lexer.text;
    switch (this.lexeme) {
      case Lexeme.Dot: {
        this.kind = Operand.Data;
        this.trusted = false;
        this.emit(Op.Dot);
        this.read();
        // `.` and then a field is no path of Go's.
        return this.fields(NONE);
      }
      case Lexeme.Field: {
        this.kind = Operand.Data;
        const isConfig = this.dots === 0 && equals(after(text, 1), CONFIG);
        if (!isConfig) this.trusted = false;
        this.emit(Op.Dot);
        this.read();
        return this.fields(after(text, 1));
      }
      case Lexeme.Variable: {
        this.kind = Operand.Data;
        const isRoot = length(text) === 1;
        if (isRoot) this.emit(Op.Root);
        else this.emit(Op.Variable, this.slotOf(text));
        this.read();
        const isConfig = isRoot && this.is(Lexeme.Field) && equals(after(this.lexer.text, 1), CONFIG);
        if (!isConfig) this.trusted = false;
        return this.fields(NONE);
      }
      case Lexeme.Name: {
        if (!this.isWord()) {
          // A function without arguments.
          const id = functionOf(text, this.arena);
          if (id < 0 || functionRow(id).least > 0) return this.fail(TOO_MANY_ARGUMENTS, text);
          this.emit(Op.Call, id, 0, 0);
          this.kind = Operand.Function;
        } else if (equals(text, NIL)) {
          this.kind = Operand.Nil;
          this.emit(Op.Constant, 0, 0, NULL);
        } else {
          this.kind = Operand.Literal;
          this.emit(Op.Constant, 0, 0, truthValue(equals(text, TRUE)));
        }
        this.read();
        return this.fields(NONE);
      }
      case Lexeme.String: {
        this.kind = Operand.Literal;
        const kept = this.arena.copy(returned(text));
        this.emit(Op.Constant, 0, 0, valueOf(Type.Text, kept));
        this.read();
        this.fields(NONE);
        this.literalText = kept;
        return;
      }
      case Lexeme.Character: {
        this.kind = Operand.Literal;
        const point = pointAt(pointer(text), length(text) as usize);
        this.number(newWriter(this.arena, 8).decimal(point as u64).written);
        this.read();
        return;
      }
      case Lexeme.Number: {
        this.kind = Operand.Literal;
        const number = numberOf(text, this.arena);
        if (number === NONE) return this.fail(BAD_NUMBER, text);
        this.number(number);
        this.read();
        if (this.is(Lexeme.Field)) this.fail(newWriter(this.arena, 48).bytes(UNEXPECTED).byte(DOT).written);
        return;
      }
      case Lexeme.OpenParenthesis: {
        if (++this.depth > MOST_DEPTH) return this.fail(TOO_DEEP);
        this.readOn();
        this.nested();
        this.depth--;
        this.kind = Operand.Parenthesized;
        if (!this.failed) this.read();
        return this.fields(NONE);
      }
      default: {
        this.lexer.position = position;
        this.fail(newWriter(this.arena, 48).bytes(UNEXPECTED).bytes(text).bytes(IN_COMMAND).written);
      }
    }
  }

  nested(): void {
    const outer = this.trusted;
    this.pipeline(Lexeme.CloseParenthesis);
    this.trusted = this.trusted && outer;
    this.encoded = false;
    this.literalText = NONE;
  }

  number(text: Span): void {
    this.emit(Op.Constant, 0, 0, valueOf(Type.Number, text));
  }

  /** Fields behind a term become one path. @param begun the first of them, or NONE */
  fields(begun: Span): void {
    let path = begun;
    while (this.is(Lexeme.Field)) {
      const part = this.lexer.text;
      path = path === NONE ? after(part, 1) : newWriter(this.arena, 64).bytes(path).bytes(part).written;
      this.read();
    }
    if (path === NONE) return;
    if (this.kind === Operand.Literal || this.kind === Operand.Nil) return this.fail(UNEXPECTED, path);
    this.emit(Op.Path, 0, 0, path);
  }
}
