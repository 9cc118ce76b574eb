import { make, newArena } from '../../../filter/bytes/arena';
import { newList } from '../../../filter/bytes/list';
import { newWriter } from '../../../filter/bytes/writer';
import { Arena } from '../../../filter/bytes/arena';
import { QUOTE } from '../../../filter/bytes/ascii';
import { Span, contains, length, literal, span, startsWith, NONE } from '../../../filter/bytes/span';
import { Gateway } from '../../../filter/model/gateway';
import { Server } from '../../../filter/model/server';
import { connectStreamTexts, newReplacements, Replacement } from '../../../filter/response/replacements';
import { newRewriter, Rewriter } from '../../../filter/response/rewriter';
import { Session, Upstream } from '../../../filter/session/token';
import { messagePath } from '../../../filter/upstream/message-path';

const arena = newArena(1024);
const callback = newArena(1024);
const SLASH = literal('/');
const CARRIED = literal('carried-carried-carried-carried-carried-carried-carried-carried-carried');
const REFUSAL = literal('{"refused":true}');

let rewriter: Rewriter = changetype<Rewriter>(0);

/** Numbers what is replaced, an address first; a refusal is what has a certain id. */
function text(context: usize, replacement: Replacement, raw: Span, arena: Arena): Span {
  if (replacement === Replacement.Refusal) return contains(raw, CARRIED) ? REFUSAL : NONE;
  if (replacement === Replacement.Address && !startsWith(raw, SLASH)) return NONE;
  return newWriter(arena, 32)
    .byte(QUOTE)
    .decimal((replacement - Replacement.Address) as u64)
    .byte(QUOTE).written;
}

/** Begins an event stream of HTTP+SSE. @param most bytes that are kept */
export function httpSseOpen(most: u32): void {
  arena.reset();
  connectStreamTexts(text);
  const gateway = make<Gateway>(arena);
  gateway.servers = newList(arena);
  const server = make<Server>(arena);
  server.name = SLASH;
  server.mark = span(arena.allocate(1), 0);
  gateway.servers.push(changetype<usize>(server) as u64);
  const replacements = newReplacements(gateway, server, changetype<Session | null>(0), make<Upstream>(arena), arena);
  replacements.context = 1;
  rewriter = newRewriter(true, replacements, most, arena);
}

export function httpSseWrite(chunk: usize, count: u32): Span {
  callback.reset();
  return rewriter.write(span(chunk, count), callback);
}

export function httpSseEnd(): Span {
  callback.reset();
  return rewriter.end(callback);
}

export function httpSseObstacle(): i32 {
  return rewriter.obstacle;
}

/** Where messages go to, NONE where that is nowhere. */
export function httpSsePath(
  data: usize,
  count: u32,
  path: usize,
  pathLength: u32,
  authority: usize,
  authorityLength: u32,
): Span {
  arena.reset();
  const server = make<Server>(arena);
  server.path = span(path, pathLength);
  server.authority = span(authority, authorityLength);
  const found = messagePath(span(data, count), server, arena);
  return length(found) === 0 ? NONE : found;
}
