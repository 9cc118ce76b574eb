import { CLOSING_BRACE, COLON, COMMA, QUOTE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { newNameTable, NameTable } from '../bytes/names';
import { Span, combined, fingerprint, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { FanOut } from '../federation/fanout';
import { textOf, writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { clipped } from '../mcp/header-text';
import { Noun } from '../mcp/nouns';
import { PinAction, Pins } from '../model/pins';
import { Server } from '../model/server';
import { Fact } from '../model/tool-facts';
import { FactReader, newFactReader } from '../policy/tool-facts';
import { notePinState, pinState } from '../session/pin-states';
import { UpstreamCall } from '../upstream/call';
import { Item, Page } from '../upstream/page';
import { Exchange } from './exchange';

/** What is said of tools whose definition nobody has looked at: to who calls one, in the log, and in the status. */
const SERVER = literal('server ');
const TOOL = literal(': tool "');
const CHANGED = literal('" has another definition than the one that is pinned for it: ');
const UNPINNED = literal('" is not pinned: ');
const MORE = literal(': more of its tools have changed, or are not pinned, which the log does not name');
const SHA256 = literal('sha256:');
const TOO_LARGE = literal('its definition is too large, or nested too deep, to have a digest');

/** Bytes of a name in the log and the status, and names of each kind in the status. */
const MOST_NAME = 128;
const MOST_NAMED = 50;

/** Whether pins say so to who calls a tool that they hide; then `plan.reply` does. @param name as the client calls it */
export function refusesByPins(exchange: Exchange, server: Server, name: Span, facts: u32): bool {
  if (exchange.gateway.pins!.actionOn(facts) !== PinAction.Refuse) return false;
  const reason = (facts & Fact.Changed) !== 0 ? Reason.ToolChanged : Reason.ToolUnpinned;
  exchange.refuse(reason, name, server.name);
  return true;
}

/** Holds the lists that came against the pins, for the log and the status. */
export function reportPins(exchange: Exchange, fanOut: FanOut): void {
  const pins = exchange.gateway.pins;
  if (pins === null) return;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (!call.failed && !call.cached && call.noun.noun === Noun.Tools) report(exchange, pins, call);
  }
}

/** How the tools of a server stood to their pins when its list came last, as JSON; NONE: nobody knows. */
export function pinStateOf(exchange: Exchange, server: Server): Span {
  return server.isPinned ? pinState(keyOf(server), exchange.gateway.keys, scratch) : NONE;
}

function keyOf(server: Server): u64 {
  return combined(server.stateFingerprint, server.factsFingerprint);
}

const OPEN = literal('{"pinned":');
const CHANGED_MEMBER = literal(',"changed":{');
const UNPINNED_MEMBER = literal('},"unpinned":{');
const MISSING_MEMBER = literal('},"missing":[');
const AT_MEMBER = literal('],"at":');

/** The members of one kind, as many as are shown. */
@unmanaged
class Names {
  text: Writer;
  count: i32;

  /** Begins another one; false: there are enough. */
  add(name: Span): bool {
    if (this.count === MOST_NAMED) return false;
    if (this.count++ > 0) this.text.byte(COMMA);
    writeEscaped(this.text.byte(QUOTE), clipped(name, MOST_NAME));
    this.text.byte(QUOTE);
    return true;
  }
}

function newNames(): Names {
  const names = changetype<Names>(scratch.zeroed(offsetof<Names>()));
  names.text = newWriter(scratch, 256);
  return names;
}

function report(exchange: Exchange, pins: Pins, call: UpstreamCall): void {
  const reader = newFactReader(pins, scratch);
  const changed = newNames();
  const unpinned = newNames();
  const listed = newNameTable(scratch);
  let pinned = 0;
  for (let p = 0; p < call.pages.count; p++) {
    const items = changetype<Page>(call.pages.at(p) as usize).items;
    for (let i = 0; i < items.count; i++) {
      const item = changetype<Item>(items.at(i) as usize);
      const own = textOf(item.name, scratch);
      if (own === NONE) continue;
      const name = newWriter(scratch, 64).bytes(call.server.prefix).bytes(own).written;
      const isPinned = pins.digestOf(name) !== 0;
      if (isPinned) listed.put(name, 1);
      if ((item.facts & Fact.Pinned) !== 0) {
        pinned++;
        continue;
      }
      const action = pins.actionOn(item.facts);
      if (action === PinAction.Allow) continue;
      const names = isPinned ? changed : unpinned;
      if (names.add(name)) writeDigest(names.text.byte(COLON).byte(QUOTE), reader, item).byte(QUOTE);
      warn(exchange, call.server, item, own, isPinned, reader);
    }
  }
  const state = newWriter(scratch, 512)
    .bytes(OPEN)
    .decimal(pinned as u64);
  state.bytes(CHANGED_MEMBER).bytes(changed.text.written);
  state.bytes(UNPINNED_MEMBER).bytes(unpinned.text.written);
  state.bytes(MISSING_MEMBER).bytes(missing(pins, call.server, listed));
  state
    .bytes(AT_MEMBER)
    .decimal(exchange.seconds as u64)
    .byte(CLOSING_BRACE);
  notePinState(keyOf(call.server), state.written, exchange.gateway.keys, scratch);
}

/** Those of a server that are pinned, and that its list does not have. */
function missing(pins: Pins, server: Server, listed: NameTable): Span {
  const names = newNames();
  for (let i = 0; i < pins.names.count; i++) {
    const name: Span = pins.names.at(i);
    if (startsWith(name, server.prefix) && listed.get(name) === 0 && !names.add(name)) break;
  }
  return names.text.written;
}

/** `sha256:` and the digits, or why there are none. */
export function writeDigest(writer: Writer, reader: FactReader, item: Item): Writer {
  const digest = reader.digestOf(item.object);
  if (digest === NONE) return writer.bytes(TOO_LARGE);
  writer.bytes(SHA256);
  for (let at = pointer(digest); at < limit(digest); at += 8) writer.hex(bswap(load<u64>(at)));
  return writer;
}

/** Each once for every worker and configuration. */
function warn(exchange: Exchange, server: Server, item: Item, name: Span, hasChanged: bool, reader: FactReader): void {
  const reported = server.reportedPins;
  if (reported.isFull || !reported.add(fingerprint(item.object, fingerprint(name)))) return;
  const line = newWriter(exchange.arena, 256).bytes(SERVER).bytes(server.name);
  if (reported.isFull) line.bytes(MORE);
  else {
    writeEscaped(line.bytes(TOOL), clipped(name, MOST_NAME));
    writeDigest(line.bytes(hasChanged ? CHANGED : UNPINNED), reader, item);
  }
  exchange.plan.warn(line.written, server);
}
