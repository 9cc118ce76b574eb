import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span } from '../bytes/span';
import { Reason } from '../mcp/errors';
import { Server } from '../model/server';
import { Forward } from './forward';
import { Reply } from './reply';

/** A line for the log. */
@unmanaged
export class Warning {
  /** That it is about, or null. */
  server: Server | null;
  line: Span;
}

/** With what an outcome is carried out: a flow fills it in, and `host/carry.ts` reads it. */
@unmanaged
export class Plan {
  arena: Arena;
  /** For `Outcome.Forward`; afterwards, how the request has gone on. Null: it goes nowhere. */
  forward: Forward;
  /** For `Outcome.Reply`. Null: none is known. */
  reply: Reply;
  /** What the operator should know, a line each (Warning); null: nothing. */
  warnings: List | null;
  /** The request goes on as a message of our own, see relay.ts. */
  relayed: bool;
  /** The refusal of an answer to that which would have to stream: its row and its detail. */
  unstreamed: Reason;
  whyUnstreamed: Span;

  /** @param line kept as long as the request. @param server that it is about, or null */
  warn(line: Span, server: Server | null): void {
    const warning = make<Warning>(this.arena);
    warning.server = server;
    warning.line = line;
    if (this.warnings === null) this.warnings = newList(this.arena);
    this.warnings!.push(changetype<usize>(warning) as u64);
  }
}

/** @param arena of the request */
export function newPlan(arena: Arena): Plan {
  const plan = make<Plan>(arena);
  plan.arena = arena;
  return plan;
}
