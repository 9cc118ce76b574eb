import { Arena, make } from '../bytes/arena';
import { Span, literal } from '../bytes/span';
import { InputReader } from './input-reader';
import { PassingAnswer } from './passing-answer';
import { ResultLimiter } from './result-limiter';
import { Rewriter } from './rewriter';

/** What happens to the body of a response on its way to the client. */
export const enum Way {
  /** It goes on as it is. */
  Pass,
  /** Some of its bytes are replaced, all others go on as they are. */
  Rewrite,
  /** Another text goes on in its place. */
  Replace,
  /** It is kept, and what is made of all of it goes on in its place. */
  Collect,
}

const EMPTY = literal('');

/** What happens to a response in passing, and whether that has begun. */
@unmanaged
export class ResponsePlan {
  way: Way;
  /** Watches the body as it passes, or null where nothing is to be found out. */
  watcher: PassingAnswer | null;
  /** Null unless it is rewritten. */
  rewriter: Rewriter | null;
  /** Holds results of calls to a size, behind the rewriter; null: they may be of any. */
  limiter: ResultLimiter | null;
  /** Looks for a result that asks for input, behind both; null: none can. */
  input: InputReader | null;
  /** What goes on in its place, or NONE while that is not known: its own first bytes can be part of it. */
  text: Span;
  /** A part of the body has come, or the text has gone on in its place. */
  begun: bool;

  /** What takes the place of the next part of the body: the text once, then nothing. The text must be known. */
  nextPart(): Span {
    if (this.begun) return EMPTY;
    this.begun = true;
    return this.text;
  }
}

/** @param watcher of its body, or null */
export function passing(watcher: PassingAnswer | null, arena: Arena): ResponsePlan {
  const plan = make<ResponsePlan>(arena);
  plan.watcher = watcher;
  return plan;
}

/** @param watcher of its body, or null */
export function rewriting(rewriter: Rewriter, watcher: PassingAnswer | null, arena: Arena): ResponsePlan {
  const plan = passing(watcher, arena);
  plan.way = Way.Rewrite;
  plan.rewriter = rewriter;
  return plan;
}

/** @param text in its place, or NONE where that is not known yet */
export function replacing(text: Span, arena: Arena): ResponsePlan {
  const plan = make<ResponsePlan>(arena);
  plan.way = Way.Replace;
  plan.text = text;
  return plan;
}

export function collecting(arena: Arena): ResponsePlan {
  const plan = make<ResponsePlan>(arena);
  plan.way = Way.Collect;
  return plan;
}
