import { Arena, make } from '../bytes/arena';

/** The instructions of a compiled template. A stack of values is what they work on. */
export const enum Op {
  /** Writes text of the template. */
  Text,
  /** Writes the topmost value, and takes it. */
  Print,
  Drop,
  Constant,
  /** The data as a whole, or what `range` or `with` have put in their place. */
  Dot,
  Root,
  Variable,
  /** Takes the topmost value into a variable. */
  Set,
  /** What a path finds in the topmost value. */
  Path,
  Call,
  Jump,
  /** Takes the topmost value. */
  JumpIfFalse,
  /** `and`: keeps the topmost value where it jumps. */
  KeepIfFalse,
  /** `or`: the same. */
  KeepIfTrue,
  PushDot,
  PopDot,
  /** Begins a loop over the topmost value; jumps where there is nothing. */
  Range,
  /** Goes on with the next one, or past itself. */
  Next,
  EndRange,
  /** Writes an argument in the place of `{name}`. */
  Placeholder,
}

/** How a value is written that an argument may have a say in. */
export const enum Way {
  Plain,
  /** It comes from the operator. */
  Trusted,
  /** Percent-encoded. */
  Url,
  /** So that it stays inside its JSON string, or is a JSON value of its own. */
  Json,
  Form,
}

@unmanaged
export class Instruction {
  op: Op;
  /** For Print, a Way; for Call, how many arguments; for Range, how many variables. */
  count: i32;
  /** A target, a variable or a function. */
  operand: i32;
  /** Where in the template. */
  position: u32;
  /** A span or a value. */
  data: u64;
}

const SIZE: usize = offsetof<Instruction>();
/** How many one template may have. */
export const MOST_INSTRUCTIONS: i32 = 65536;
export const MOST_VARIABLES = 32;

/** A template, ready to run. Immutable. */
@unmanaged
export class Program {
  private at: usize;
  private capacity: i32;
  count: i32;
  arena: Arena;

  instruction(index: i32): Instruction {
    return changetype<Instruction>(this.at + (index as usize) * SIZE);
  }

  /** @returns its index */
  add(op: Op, position: u32, operand: i32 = 0, count: i32 = 0, data: u64 = 0): i32 {
    if (this.count === this.capacity) {
      const capacity = max(this.capacity * 2, 8);
      const moved = this.arena.allocate((capacity as usize) * SIZE);
      memory.copy(moved, this.at, (this.count as usize) * SIZE);
      this.at = moved;
      this.capacity = capacity;
    }
    const added = this.instruction(this.count);
    added.op = op;
    added.position = position;
    added.operand = operand;
    added.count = count;
    added.data = data;
    return this.count++;
  }

  /** Lets a jump lead to what comes next. */
  land(index: i32): void {
    this.instruction(index).operand = this.count;
  }
}

export function newProgram(arena: Arena): Program {
  const program = make<Program>(arena);
  program.arena = arena;
  return program;
}
