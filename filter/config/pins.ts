import { hexValue } from '../bytes/ascii';
import { names } from '../bytes/name-list';
import { Span, after, fingerprint, length, literal, pointer, span, startsWith, NONE } from '../bytes/span';
import { DIGEST_SIZE } from '../crypto/sha256';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Gateway } from '../model/gateway';
import { newPins, PinAction, Pins } from '../model/pins';
import { mustBe, Section } from './section';
import { memberPlace } from './problems';

const MEMBERS = names('tools changed unpinned');
/** In the order of PinAction. */
const ACTIONS = names('allow flag hide refuse');

const PINS = literal('pins');
const TOOLS = literal('tools');
const CHANGED = literal('changed');
const UNPINNED = literal('unpinned');
const SHA256 = literal('sha256:');
const A_DIGEST = literal('"sha256:" and 64 hexadecimal digits, as sluice lock writes them');
const AN_OBJECT = literal('an object: the digest of each tool, by the name that the tool has at the gateway');
const NO_SERVER = literal('pins a tool whose name begins with the prefix of no server');
const TWICE = literal('is given twice');

/** The definitions of tools that were looked at; after the servers. Null: none was, and none is asked for. */
export function readPins(root: Section, gateway: Gateway): Pins | null {
  if (root.get(PINS) === NONE) return null;
  const section = root.section(PINS, MEMBERS);
  const pins = newPins(root.arena);
  pins.changed = max(section.choice(CHANGED, ACTIONS, PinAction.Refuse), PinAction.Allow);
  pins.unpinned = max(section.choice(UNPINNED, ACTIONS, PinAction.Hide), PinAction.Allow);
  readTools(section, pins, gateway);
  return pins;
}

function readTools(section: Section, pins: Pins, gateway: Gateway): void {
  const value = section.get(TOOLS);
  if (value === NONE) return;
  if (kindOf(value) !== Kind.Object) {
    section.mustBe(TOOLS, AN_OBJECT);
    return;
  }
  const arena = section.arena;
  for (const walk = walkThrough(value, arena); walk.next();) {
    const name = textOf(walk.name, arena);
    if (name === NONE) continue;
    const place = memberPlace(section.placeOf(TOOLS), name, arena);
    const digest = kindOf(walk.value) === Kind.String ? digestIn(textOf(walk.value, arena), section) : 0;
    if (digest === 0) mustBe(place, A_DIGEST, walk.value, section.problems);
    else {
      // Who writes two cannot mean both.
      if (pins.tools.get(name) !== 0) section.problems.add(section.problems.at(place).bytes(TWICE));
      pins.tools.put(name, digest);
      pins.names.push(name);
      pins.fingerprint = fingerprint(span(digest, DIGEST_SIZE as u32), fingerprint(name, pins.fingerprint));
      if (!hasServer(gateway, name)) section.problems.warn(section.problems.at(place).bytes(NO_SERVER));
    }
  }
}

/** The address of its bytes, or 0 where it is none. */
function digestIn(text: Span, section: Section): usize {
  if (text === NONE || !startsWith(text, SHA256)) return 0;
  const digits = after(text, SHA256 as u32);
  if (length(digits) !== 2 * (DIGEST_SIZE as i32)) return 0;
  const bytes = section.arena.allocate(DIGEST_SIZE);
  for (let i: usize = 0; i < DIGEST_SIZE; i++) {
    const high = hexValue(load<u8>(pointer(digits) + 2 * i));
    const low = hexValue(load<u8>(pointer(digits) + 2 * i + 1));
    if (high < 0 || low < 0) return 0;
    store<u8>(bytes + i, (high << 4) | low);
  }
  return bytes;
}

function hasServer(gateway: Gateway, name: Span): bool {
  if (gateway.awaitsCatalog) return true;
  for (let i = 0; i < gateway.servers.count; i++) if (startsWith(name, gateway.serverAt(i).prefix)) return true;
  return false;
}
