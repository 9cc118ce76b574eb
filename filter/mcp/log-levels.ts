import { Span, literal, pointer, limit, between, equals } from '../bytes/span';
import { SPACE } from '../bytes/ascii';

/** The levels of what servers log (MCP logging, LoggingLevel; RFC 5424 §6.2.1), from the least severe on. */
const LEVELS = literal('debug info notice warning error critical alert emergency');

/** More severe than all levels: of a text that is none. */
export const UNKNOWN_LEVEL: u32 = 8;
/** More severe than that: where nothing of the log is asked for. */
export const NO_LEVEL: u32 = 9;

/** How severe a level is, from 0 on; UNKNOWN_LEVEL where the text is none. */
export function severityOf(level: Span): u32 {
  let severity: u32 = 0;
  let from = pointer(LEVELS);
  for (let at = from; at <= limit(LEVELS); at++) {
    if (at < limit(LEVELS) && load<u8>(at) !== SPACE) continue;
    if (equals(between(from, at), level)) return severity;
    severity++;
    from = at + 1;
  }
  return UNKNOWN_LEVEL;
}
