import { QUOTE, QUESTION_MARK, BACKSLASH } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, between, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { hasRoom } from '../bytes/room';
import { newWriter, Writer } from '../bytes/writer';
import { isJson } from '../json/reader';
import { characterSize, writeEscaped } from '../json/text';
import { beginBudget, isSpent, spend, step } from './budget';
import { call, setNow } from './calls';
import { clearFault, fail, failed, fault } from './fault';
import { Function, LAST_FUNCTION } from './functions';
import { doubleOf } from '../json/numbers';
import { beginElements, Elements, find } from './path';
import { Instruction, MOST_VARIABLES, Op, Program, Way } from './program';
import { TOO_LARGE, writePercent } from './text';
import { bytesOf, isString, isTrue, MISSING, printed, textOf, Type, typeAt, typeOf, Value, valueOf } from './value';

/** Runs a compiled template on data: a stack of values, and text that grows. */

const STACK = 128;
const DOTS = 32;
const LOOPS = 32;

const NOT_JSON = literal('data must be a valid JSON object or array');
const TOO_MANY_STEPS = literal('it takes more steps than a template may');
const NO_MEMORY = literal('the worker has no memory for it; call again later');
const TOO_DEEP = literal('it is nested too deep');
const CANNOT_RANGE = literal('range can only iterate over an array, an object, text or a number');
const CANNOT_RANGE_TWO = literal('a number cannot be iterated over with two variables');
const NO_ARGUMENT = literal('an argument that has a place of its own in the template is missing or empty: ');
const NOT_ONE_VALUE = literal('an argument that does not stand in a JSON string has to be a JSON value');
const UNDEFINED = literal('a value that no function can take');

/** What a loop goes over. */
const enum Over {
  Elements,
  Characters,
  Numbers,
}

@unmanaged
class Loop {
  over: Over;
  elements: Elements;
  /** Where the next character begins, and the end. */
  at: usize;
  end: usize;
  start: usize;
  /** The next number, and how many there are. */
  index: i64;
  count: i64;
  /** The slot of its first variable, and how many it has. */
  slot: i32;
  variables: i32;
  /** How many dots there were before it began. */
  dots: i32;
}

@unmanaged
class Machine {
  arena: Arena;
  out: Writer;
  most: u32;
  data: Value;
  values: usize;
  depth: i32;
  dots: usize;
  dotDepth: i32;
  variables: usize;
  loops: usize;
  loopDepth: i32;
  /** In a URL: the query has begun. In a document: whether what comes next stands in a string. */
  inQuery: bool;
  inString: bool;
  escapes: bool;

  push(value: Value): void {
    if (this.depth >= STACK) {
      fail(TOO_DEEP);
      return;
    }
    store<Value>(this.values + ((this.depth++ as usize) << 3), value);
  }

  pop(): Value {
    return this.depth === 0 ? MISSING : load<Value>(this.values + ((--this.depth as usize) << 3));
  }

  get top(): Value {
    return this.depth === 0 ? MISSING : load<Value>(this.values + (((this.depth - 1) as usize) << 3));
  }

  get dot(): Value {
    return this.dotDepth === 0 ? this.data : load<Value>(this.dots + (((this.dotDepth - 1) as usize) << 3));
  }

  pushDot(value: Value): void {
    if (this.dotDepth >= DOTS) {
      fail(TOO_DEEP);
      return;
    }
    store<Value>(this.dots + ((this.dotDepth++ as usize) << 3), value);
  }

  set(slot: i32, value: Value): void {
    store<Value>(this.variables + ((slot as usize) << 3), value);
  }

  loopAt(index: i32): Loop {
    return changetype<Loop>(this.loops + (index as usize) * offsetof<Loop>());
  }

  /** Text that is of the template or of the operator. */
  write(text: Span, way: Way): void {
    this.reserve(text as u32);
    if (failed()) return;
    this.out.bytes(text);
    if (way === Way.Url) {
      for (let at = pointer(text); at < limit(text); at++) if (load<u8>(at) === QUESTION_MARK) this.inQuery = true;
    } else if (way === Way.Json) this.follow(text);
  }

  reserve(size: u32): void {
    spend(size as usize);
    if ((this.out.size as u64) + (size as u64) > (this.most as u64)) fail(TOO_LARGE);
  }

  /** Notes whether a JSON string is open behind a text. */
  follow(text: Span): void {
    for (let at = pointer(text); at < limit(text); at++) {
      const c = load<u8>(at);
      if (this.escapes) this.escapes = false;
      else if (c === BACKSLASH) this.escapes = this.inString;
      else if (c === QUOTE) this.inString = !this.inString;
    }
  }

  /** A value that an argument has a say in: it stays in its place. */
  writeValue(value: Value, way: Way): void {
    const text = printed(value, this.arena);
    if (way === Way.Plain || length(text) === 0) return this.write(text, Way.Plain);
    // What becomes of a byte has six at most.
    this.reserve(min((text as u32) * (way === Way.Json ? 6 : 3), 1 << 30));
    if (failed()) return;
    if (way === Way.Url) writePercent(this.out, text, this.inQuery);
    else if (way === Way.Form) writePercent(this.out, text, true);
    else if (this.inString) writeEscaped(this.out, text);
    else if (isJson(text, this.arena)) this.out.bytes(text);
    else fail(NOT_ONE_VALUE);
  }

  beginLoop(instruction: Instruction): bool {
    const value = this.pop();
    if (this.loopDepth >= LOOPS) {
      fail(TOO_DEEP);
      return false;
    }
    const loop = this.loopAt(this.loopDepth);
    loop.slot = instruction.data as i32;
    loop.variables = instruction.count;
    loop.dots = this.dotDepth;
    loop.index = 0;
    const type = typeOf(value);
    if (type === Type.Json) {
      loop.over = Over.Elements;
      beginElements(loop.elements, bytesOf(value));
      // Only what is written without a space inside is empty here.
      if (length(bytesOf(value)) <= 2) return false;
    } else if (isString(value)) {
      const text = textOf(value, this.arena);
      loop.over = Over.Characters;
      loop.at = loop.start = pointer(text);
      loop.end = limit(text);
      if (loop.at === loop.end) return false;
    } else if (type === Type.Number) {
      loop.over = Over.Numbers;
      loop.count = countOf(bytesOf(value));
      if (loop.variables > 1) fail(CANNOT_RANGE_TWO);
      if (loop.count <= 0) return false;
    } else {
      fail(CANNOT_RANGE);
      return false;
    }
    this.loopDepth++;
    return true;
  }

  /** The innermost loop goes over an array. */
  get isArrayLoop(): bool {
    const loop = this.loopAt(this.loopDepth - 1);
    return loop.over === Over.Elements && !loop.elements.named;
  }

  /** Sets dot and variables to the next one. False: there is none. */
  advance(): bool {
    const loop = this.loopAt(this.loopDepth - 1);
    this.dotDepth = loop.dots;
    let key: Value;
    let value: Value;
    if (loop.over === Over.Elements) {
      const elements = loop.elements;
      if (!elements.next()) return false;
      value = elements.value;
      key = elements.named ? valueOf(Type.Token, elements.name) : this.number(loop.index++);
    } else if (loop.over === Over.Characters) {
      if (loop.at >= loop.end) return false;
      const size = max<usize>(characterSize(loop.at, loop.end), 1);
      key = this.number((loop.at - loop.start) as i64);
      value = valueOf(Type.Text, between(loop.at, loop.at + size));
      loop.at += size;
    } else {
      if (loop.index >= loop.count) return false;
      key = value = this.number(loop.index++);
    }
    if (loop.variables === 1) this.set(loop.slot, value);
    else if (loop.variables === 2) {
      this.set(loop.slot, key);
      this.set(loop.slot + 1, value);
    }
    this.pushDot(value);
    return true;
  }

  number(value: i64): Value {
    return valueOf(Type.Number, newWriter(this.arena, 20).signed(value).written);
  }
}

/** A fraction is cut. More than can be counted to is refused by the steps that it takes. */
function countOf(number: Span): i64 {
  const double = doubleOf(number);
  return double >= 1e15 ? 1_000_000_000_000_000 : double <= 0 ? 0 : (double as i64);
}

/** What a rendering came to. */
@unmanaged
export class Rendering {
  /** NONE where it failed. */
  text: Span;
  fault: Span;
  /** Where in the template the instruction stands that failed. */
  position: u32;
  /** It has put in a value that is not there, or the data as a whole: neither says anything where there is no data. */
  asksForData: bool;
}

/** What a rendering may keep in memory beyond what it writes. */
const KEPT: u64 = 32 << 20;
/** How much of that is asked for at once. */
const PART: u64 = 4 << 20;

/**
 * @param data an object or an array
 * @param way of the program: how what an argument has a say in is written
 * @param most bytes of the text
 * @param now nanoseconds since 1970
 */
export function render(program: Program, data: Span, way: Way, most: u32, now: u64, arena: Arena): Rendering {
  const rendering = make<Rendering>(arena);
  const machine = make<Machine>(arena);
  machine.arena = arena;
  machine.out = newWriter(arena, min(most, 256) as usize);
  machine.most = most;
  // One more, for what `gjson` is given beside its argument.
  machine.values = arena.zeroed((STACK + 1) << 3);
  machine.dots = arena.zeroed(DOTS << 3);
  machine.variables = arena.zeroed((MOST_VARIABLES << 3) as usize);
  machine.loops = arena.zeroed(LOOPS * offsetof<Loop>());
  for (let i = 0; i < LOOPS; i++) machine.loopAt(i).elements = make<Elements>(arena);
  clearFault();
  setNow(now);
  beginBudget(data as u32);
  const document = stripped(data);
  if (length(document) === 0 || typeAt(pointer(document)) !== Type.Json) fail(NOT_JSON);
  else machine.data = valueOf(Type.Json, document);
  const held = (arena.held as u64) + KEPT + 4 * (data as u32 as u64);
  let asked = arena.held as u64;
  if (!hasRoom(PART)) fail(NO_MEMORY);
  let at = 0;
  while (!failed() && at < program.count) {
    const instruction = program.instruction(at++);
    rendering.position = instruction.position;
    if (!step() || isSpent() || (arena.held as u64) > held) {
      fail(TOO_MANY_STEPS);
      break;
    }
    if ((arena.held as u64) > asked) {
      asked = (arena.held as u64) + PART;
      if (!hasRoom(2 * PART)) {
        fail(NO_MEMORY);
        break;
      }
    }
    switch (instruction.op) {
      case Op.Text:
        machine.write(instruction.data, way);
        break;
      case Op.Print: {
        const value = machine.pop();
        if (value === MISSING || value === machine.data) rendering.asksForData = true;
        if (instruction.count === Way.Trusted) machine.write(printed(value, arena), way);
        else machine.writeValue(value, instruction.count);
        break;
      }
      case Op.Drop:
        machine.pop();
        break;
      case Op.Constant:
        machine.push(instruction.data);
        break;
      case Op.Dot:
        machine.push(machine.dot);
        break;
      case Op.Root:
        machine.push(machine.data);
        break;
      case Op.Variable:
        machine.push(load<Value>(machine.variables + ((instruction.operand as usize) << 3)));
        break;
      case Op.Set:
        machine.set(instruction.operand, machine.pop());
        break;
      case Op.Path:
        machine.push(find(machine.pop(), instruction.data, arena));
        break;
      case Op.Call:
        callWith(machine, instruction);
        break;
      case Op.Jump:
        at = instruction.operand;
        break;
      case Op.JumpIfFalse:
        if (!isTrue(machine.pop())) at = instruction.operand;
        break;
      case Op.KeepIfFalse:
        if (!isTrue(machine.top)) at = instruction.operand;
        else machine.pop();
        break;
      case Op.KeepIfTrue:
        if (isTrue(machine.top)) at = instruction.operand;
        else machine.pop();
        break;
      case Op.PushDot:
        machine.pushDot(machine.pop());
        break;
      case Op.PopDot:
        machine.dotDepth--;
        break;
      case Op.Range:
        if (!machine.beginLoop(instruction)) at = instruction.operand;
        else if (!machine.advance())
          at = machine.isArrayLoop ? leaveLoop(machine, instruction) : endOfLoop(program, at);
        break;
      case Op.Next:
        if (machine.advance()) at = instruction.operand;
        break;
      case Op.EndRange: {
        machine.loopDepth--;
        machine.dotDepth = machine.loopAt(machine.loopDepth).dots;
        break;
      }
      default: {
        // Placeholder.
        const name: Span = instruction.data;
        const value = placed(machine.data, name, arena);
        if (length(printed(value, arena)) === 0) {
          fail(newWriter(arena, 96).bytes(NO_ARGUMENT).bytes(name).written);
        } else machine.writeValue(value, Way.Url);
      }
    }
  }
  rendering.fault = fault();
  if (fault() === NONE) rendering.text = machine.out.written;
  return rendering;
}

const ARGS = literal('args');

/** An argument by its name, which is no path. */
function placed(data: Value, name: Span, arena: Arena): Value {
  const args = find(data, ARGS, arena);
  if (typeOf(args) !== Type.Json) return MISSING;
  const elements = make<Elements>(arena);
  beginElements(elements, bytesOf(args));
  while (elements.next()) {
    if (
      startsWith(textOf(valueOf(Type.Token, elements.name), arena), name) &&
      length(textOf(valueOf(Type.Token, elements.name), arena)) === length(name)
    )
      return elements.value;
  }
  return MISSING;
}

/** There is nothing to loop over: on with its {{else}}. */
function leaveLoop(machine: Machine, instruction: Instruction): i32 {
  machine.loopDepth--;
  return instruction.operand;
}

/** An object that has nothing in it but space: neither its body nor its {{else}} is for it. */
function endOfLoop(program: Program, at: i32): i32 {
  let depth = 1;
  for (; at < program.count && depth > 0; at++) {
    const op = program.instruction(at).op;
    if (op === Op.Range) depth++;
    else if (op === Op.EndRange) depth--;
  }
  return at - 1;
}

function callWith(machine: Machine, instruction: Instruction): void {
  const id = instruction.operand;
  if (id < 0 || id > LAST_FUNCTION) {
    fail(UNDEFINED);
    return;
  }
  let count = instruction.count;
  const piped = instruction.data !== 0;
  // The piped value lies below the arguments, and is the last one. One that is missing is not there at all.
  const base = machine.values + (((machine.depth - count - (piped ? 1 : 0)) as usize) << 3);
  if (piped) {
    const value = load<Value>(base);
    memory.copy(base, base + 8, (count as usize) << 3);
    store<Value>(base + ((count as usize) << 3), value);
    machine.depth--;
    if (value !== MISSING) count++;
  }
  machine.depth -= instruction.count;
  const args = base;
  // gjson asks the dot.
  if (id === Function.Gjson) store<Value>(args + ((count as usize) << 3), machine.dot);
  const result = call(id, args, count, machine.arena);
  if (!failed()) machine.push(result);
}

function stripped(data: Span): Span {
  let at = pointer(data);
  while (at < limit(data) && load<u8>(at) <= 0x20) at++;
  return between(at, limit(data));
}
