import { literal, NONE } from '../bytes/span';
import { Exchange, Outcome } from '../flow/exchange';
import { errorRow, Reason } from '../mcp/errors';
import { methodLabel, methodLabelText } from '../mcp/method-label';
import { Level, line, log } from './log';
import { writeLogText } from './log-text';
import { Stream } from './streams';

/**
 * A line for each decision, at level `debug`: what a request asks for, which server it is about, and what becomes of it.
 *
 *     request 12: tools/call weather_get → weather, released at 65536 bytes
 *     request 13: tools/call weather_set → weather, held whole (812 bytes)
 *     request 14: tools/call weather_nix → answered here: unknown_tool
 */
const MOST_OF_NAME = 128;

const REQUEST = literal('request ');
const SEPARATOR = literal(': ');
const SPACED = literal(' ');
/** U+2192 in UTF-8. */
const ARROW = literal(' \xe2\x86\x92 ');
const COMMA = literal(', ');
const HELD = literal('held whole (');
const RELEASED = literal('released at ');
const BY_HEADERS = literal('sent on by its headers');
const BYTES = literal(' bytes');
const CLOSING = literal(')');
const ANSWERED = literal('answered here');

/** @param outcome that is carried out: others than Forward and Reply decide nothing */
export function logDecision(stream: Stream, exchange: Exchange, outcome: Outcome): void {
  const threshold = exchange.gateway.logLevel;
  if (threshold > (Level.Debug as u32)) return;
  const forwarded = outcome === Outcome.Forward;
  if (!forwarded && outcome !== Outcome.Reply) return;
  const message = exchange.message;
  const text = line()
    .bytes(REQUEST)
    .decimal(stream.id as u64)
    .bytes(SEPARATOR);
  text.bytes(methodLabelText(methodLabel(message.method, exchange.request.method)));
  if (exchange.name !== NONE) {
    text.bytes(SPACED);
    writeLogText(text, exchange.name, MOST_OF_NAME);
  }
  text.bytes(ARROW);
  const server = exchange.server;
  if (server !== null) text.bytes(server.name).bytes(COMMA);
  if (!forwarded) {
    text.bytes(ANSWERED);
    const reason = exchange.plan.reply.reason;
    if (reason !== Reason.None) text.bytes(SEPARATOR).bytes(errorRow(reason).name);
  } else if (message.whole) {
    text
      .bytes(HELD)
      .decimal(message.size as u64)
      .bytes(BYTES)
      .bytes(CLOSING);
  } else if (message.size > 0) {
    text
      .bytes(RELEASED)
      .decimal(message.size as u64)
      .bytes(BYTES);
  } else text.bytes(BY_HEADERS);
  log(Level.Debug, text.written, threshold);
}
