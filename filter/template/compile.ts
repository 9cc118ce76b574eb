import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, between, equals, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Lexeme, newLexer } from './lexer';
import { newProgram, Op, Program, Way } from './program';
import { MISSING_VALUE, MOST_DEPTH, TOO_DEEP, UNEXPECTED, Pipelines } from './pipelines';

const IF = literal('if');
const ELSE = literal('else');
const END = literal('end');
const RANGE = literal('range');
const WITH = literal('with');
const BREAK = literal('break');
const CONTINUE = literal('continue');
const DEFINE = literal('define');
const TEMPLATE = literal('template');
const BLOCK = literal('block');
const UNEXPECTED_END = literal('unexpected {{end}}');
const UNEXPECTED_ELSE = literal('unexpected {{else}}');
const UNEXPECTED_EOF = literal('an action is not ended with {{end}}');
const NOT_IN_RANGE = literal('is only allowed in {{range}}');
const NOT_HERE = literal(
  '{{define}}, {{template}} and {{block}} are not served here: write the text where it is needed',
);
const TWO_VARIABLES = literal('two variables need {{range}}');

/** What a compiled template is for. */
@unmanaged
export class Template {
  /** Null where it has a fault. */
  program: Program | null;
  /** What is wrong with it, and where: a byte of the template, from 0. */
  fault: Span;
  position: u32;
}

/** Text and actions: what a template does with the values of its pipelines. */
@unmanaged
class Compiler extends Pipelines {
  way: Way;
  /** Names (Span) of arguments with a place of their own, `{name}`; null: none. */
  placeholders: List | null;
  /** Loops around, each with the jumps that leave it (List of instructions), innermost last. */
  loops: List;

  /** Up to the end of what it is in: `{{end}}` or `{{else}}`, whose word is the lexer's text then, or the end of all. */
  list(isTop: bool): void {
    if (++this.depth > MOST_DEPTH) this.fail(TOO_DEEP);
    const seen = this.variables.count;
    while (!this.failed) {
      this.read();
      if (this.is(Lexeme.Text)) this.text(this.lexer.text);
      else if (this.is(Lexeme.Open)) {
        this.readOn();
        if (this.is(Lexeme.Name) && (equals(this.lexer.text, END) || equals(this.lexer.text, ELSE))) {
          if (isTop) this.fail(equals(this.lexer.text, END) ? UNEXPECTED_END : UNEXPECTED_ELSE);
          break;
        }
        this.action();
      } else {
        if (!isTop) this.fail(UNEXPECTED_EOF);
        break;
      }
    }
    this.forget(seen);
    this.depth--;
  }

  /** Text of the template, with the places of arguments in it. */
  text(text: Span): void {
    const names = this.placeholders;
    const start = pointer(text);
    let from = start;
    for (let at = start; names !== null && at < limit(text); at++) {
      if (load<u8>(at) !== 0x7b) continue;
      const behind = between(at + 1, limit(text));
      for (let i = 0; i < names.count; i++) {
        const name: Span = names.at(i);
        if (!startsWith(behind, name) || limit(behind) === pointer(behind) + (length(name) as usize)) continue;
        if (load<u8>(pointer(behind) + (length(name) as usize)) !== 0x7d) continue;
        if (at > from) this.emit(Op.Text, 0, 0, between(from, at));
        this.emit(Op.Placeholder, 0, 0, name);
        from = at + (length(name) as usize) + 2;
        at = from - 1;
        break;
      }
    }
    if (from < limit(text)) this.emit(Op.Text, 0, 0, between(from, limit(text)));
  }

  action(): void {
    if (this.is(Lexeme.Name)) {
      const word = this.lexer.text;
      if (equals(word, IF)) return this.block(false);
      if (equals(word, WITH)) return this.block(true);
      if (equals(word, RANGE)) return this.range();
      if (equals(word, BREAK) || equals(word, CONTINUE)) return this.leave(equals(word, BREAK));
      if (equals(word, DEFINE) || equals(word, TEMPLATE) || equals(word, BLOCK)) return this.fail(NOT_HERE);
    }
    if (this.is(Lexeme.Close)) return this.fail(MISSING_VALUE);
    const declares = this.declaration();
    if (this.failed) return;
    this.pipeline(Lexeme.Close);
    if (declares >= 0) this.emit(Op.Set, declares);
    else
      this.emit(
        Op.Print,
        0,
        this.trusted ? Way.Trusted : this.encoded && this.way === Way.Url ? Way.Trusted : this.way,
      );
  }

  /** `{{if}}` and `{{with}}`, up to and with their `{{end}}`. */
  block(isWith: bool): void {
    const seen = this.variables.count;
    const exits = newList(this.arena);
    let more = this.arm(isWith, exits);
    while (more) more = this.arm(equals(this.lexer.text, WITH), exits);
    for (let i = 0; i < exits.count; i++) this.program.land(exits.at(i) as i32);
    this.forget(seen);
  }

  /** One condition and what it leads to. True: another one follows, behind its `{{else}}`. @param exits jumps to the end */
  arm(isWith: bool, exits: List): bool {
    this.readOn();
    const slot = this.declaration();
    this.pipeline(Lexeme.Close);
    if (this.failed) return false;
    if (slot >= 0) {
      this.emit(Op.Set, slot);
      this.emit(Op.Variable, slot);
    }
    // The value is the new dot: it is asked for once more.
    const holder = isWith ? this.introduce(NONE) : 0;
    if (isWith) {
      this.emit(Op.Set, holder);
      this.emit(Op.Variable, holder);
    }
    const skip = this.emit(Op.JumpIfFalse);
    if (isWith) {
      this.emit(Op.Variable, holder);
      this.emit(Op.PushDot);
      this.dots++;
    }
    this.list(false);
    if (this.failed) return false;
    if (isWith) {
      this.emit(Op.PopDot);
      this.dots--;
    }
    const isElse = equals(this.lexer.text, ELSE);
    this.readOn();
    if (!isElse) {
      this.close();
      this.program.land(skip);
      return false;
    }
    exits.push(this.emit(Op.Jump) as u64);
    this.program.land(skip);
    if (this.is(Lexeme.Name) && (equals(this.lexer.text, IF) || equals(this.lexer.text, WITH))) return true;
    this.otherwise();
    return false;
  }

  /** What stands behind `{{else`, up to and with `{{end}}`. */
  otherwise(): void {
    this.close();
    this.list(false);
    if (this.failed) return;
    if (equals(this.lexer.text, ELSE)) return this.fail(UNEXPECTED_ELSE);
    this.readOn();
    this.close();
  }

  close(): void {
    if (!this.is(Lexeme.Close)) this.fail(newWriter(this.arena, 48).bytes(UNEXPECTED).bytes(this.lexer.text).written);
  }

  /** Variables that are not seen any more. */
  forget(seen: i32): void {
    this.variables.count = seen;
  }

  range(): void {
    const seen = this.variables.count;
    this.readOn();
    let names = 0;
    let firstName = NONE;
    let secondName = NONE;
    if (this.is(Lexeme.Variable)) {
      const behind = this.lookAhead();
      if (behind === Lexeme.Declare || behind === Lexeme.Comma || behind === Lexeme.Assign) {
        firstName = this.lexer.text;
        names = 1;
        this.readOn();
        if (behind === Lexeme.Comma) {
          this.readOn();
          if (!this.is(Lexeme.Variable)) return this.fail(TWO_VARIABLES);
          secondName = this.lexer.text;
          names = 2;
          this.readOn();
        }
        // `=` would assign to variables that are there: the same for what is inside, and rare.
        if (!this.is(Lexeme.Declare)) return this.fail(UNEXPECTED, this.lexer.text);
        this.readOn();
      }
    }
    this.pipeline(Lexeme.Close);
    if (this.failed) return;
    const slot = this.variables.count;
    if (names > 0) this.introduce(firstName);
    if (names > 1) this.introduce(secondName);
    const begin = this.emit(Op.Range, 0, names, slot as u64);
    const body = this.program.count;
    const leaves = newList(this.arena);
    this.loops.push(changetype<usize>(leaves) as u64);
    this.dots++;
    this.list(false);
    this.dots--;
    if (this.failed) return;
    this.loops.count--;
    const next = this.emit(Op.Next, body);
    const exit = this.emit(Op.EndRange);
    for (let i = 0; i < leaves.count; i++) {
      const jump = this.program.instruction(leaves.at(i) as i32);
      jump.operand = jump.count === 1 ? exit : next;
    }
    this.forget(seen);
    const isElse = equals(this.lexer.text, ELSE);
    this.readOn();
    const skip = this.emit(Op.Jump);
    this.program.land(begin);
    if (isElse) this.otherwise();
    else this.close();
    this.program.land(skip);
    this.forget(seen);
  }

  leave(breaks: bool): void {
    if (this.loops.count === 0)
      return this.fail(newWriter(this.arena, 48).bytes(this.lexer.text).byte(0x20).bytes(NOT_IN_RANGE).written);
    const leaves = changetype<List>(this.loops.at(this.loops.count - 1) as usize);
    leaves.push(this.emit(Op.Jump, 0, breaks ? 1 : 0) as u64);
    this.readOn();
    this.close();
  }
}

/**
 * @param source kept as long as the program
 * @param way in which values are written that an argument has a say in
 * @param placeholders names of arguments with a place of their own, or null
 */
export function compile(source: Span, way: Way, placeholders: List | null, arena: Arena): Template {
  const template = make<Template>(arena);
  const compiler = make<Compiler>(arena);
  compiler.arena = arena;
  compiler.lexer = newLexer(source, arena);
  compiler.program = newProgram(arena);
  compiler.variables = newList(arena);
  compiler.loops = newList(arena);
  compiler.hidden = -1;
  compiler.way = way;
  compiler.placeholders = placeholders;
  compiler.list(true);
  if (compiler.failed) {
    template.fault = compiler.fault;
    template.position = compiler.position;
  } else template.program = compiler.program;
  return template;
}
