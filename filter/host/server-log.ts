import { scratch } from '../bytes/arena';
import { Span, literal, NONE } from '../bytes/span';
import { Exchange } from '../flow/exchange';
import { Server } from '../model/server';
import { noteFailure } from '../session/failures';
import { errorRow, firstOfName, LAST_REASON, Reason } from '../mcp/errors';
import { now } from './clock';
import { Level, line, log } from './log';
import { writeLogText } from './log-text';

/**
 * Lines of the log about servers. What is in them is partly what servers say: it is made harmless, cut, and so many
 * lines are written for each server, reason, minute and worker, however often it fails: what is said a thousand times
 * does not hide what is said once.
 */
const MOST_LINES: u32 = 30;
/** Bytes. */
const MOST_LINE = 512;
const MINUTE: u64 = 60_000_000_000;
const ROWS = LAST_REASON + 1;

const SEPARATOR = literal(': ');
const MORE = literal(': more such lines than the log takes in a minute; the further ones in this minute are left out');

/** By label and reason: which minute since 1970, and the lines in it. */
const minutes: Array<u32> = [];
const counts: Array<u32> = [];

/** What a server failed at, for the log, and for the status where there is one. */
export function logFailure(exchange: Exchange, server: Server, reason: Reason, detail: Span): void {
  const gateway = exchange.gateway;
  const threshold = gateway.logLevel;
  if (gateway.statusToken !== NONE && gateway.keys.keys.count > 0) {
    noteFailure(server.stateFingerprint, reason, detail, exchange.seconds, gateway.keys, scratch);
  }
  const text = line().bytes(server.name).bytes(SEPARATOR).bytes(errorRow(reason).name);
  if (!mayLog(server, firstOfName(reason), text.written, threshold)) return;
  text.bytes(SEPARATOR);
  writeLogText(text, detail, MOST_LINE);
  log(Level.Warn, text.written, threshold);
}

/** @param text about the server, which names it, or about none (null) */
export function logWarning(server: Server | null, text: Span, threshold: u32): void {
  if (server !== null && !mayLog(server, Reason.None, server.name, threshold)) return;
  const written = line();
  writeLogText(written, text, MOST_LINE);
  log(Level.Warn, written.written, threshold);
}

/** Says so itself where it begins to be no. A clock that is set back begins another minute. @param subject of that line */
function mayLog(server: Server, reason: Reason, subject: Span, threshold: u32): bool {
  if (threshold > (Level.Warn as u32)) return false;
  const key = (server.label as i32) * ROWS + (reason as i32);
  while (minutes.length <= key) {
    minutes.push(0);
    counts.push(0);
  }
  const minute = (now() / MINUTE) as u32;
  if (minutes[key] !== minute) {
    minutes[key] = minute;
    counts[key] = 0;
  }
  if (counts[key] > MOST_LINES) return false;
  if (++counts[key] <= MOST_LINES) return true;
  log(Level.Warn, line().bytes(subject).bytes(MORE).written, threshold);
  return false;
}
