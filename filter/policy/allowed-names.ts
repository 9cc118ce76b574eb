import { Arena, make } from '../bytes/arena';
import { normalizedEscapes } from '../bytes/escapes';
import { List, newList } from '../bytes/list';
import { NameTable, newNameTable } from '../bytes/names';
import { fieldsIn, LENGTH_DELIMITED } from '../bytes/protobuf';
import { entryIn, STRING } from '../bytes/protobuf-struct';
import { Span, equals, length, NONE } from '../bytes/span';
import { isJson, kindOf, Kind, strip, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { FIRST_NOUN, LAST_NOUN, Noun, nounRow, NOUNS } from '../mcp/nouns';
import { AllowedCapabilities } from '../model/allowed-capabilities';
import { matches } from '../model/glob';

/** Names of one noun of one server. Whoever signs the header chooses them, and no client does. */
@unmanaged
class NamesOfServer {
  table: NameTable;
  /** The same, as Span. */
  list: List;
}

/** What one caller may use, as the verified header lists it: by the names that servers have for what is theirs. */
@unmanaged
export class AllowedNames {
  /** By server and noun, an address of NamesOfServer, or 0. */
  private names: usize;
  /** Bits of nouns: these are not narrowed. */
  private open: u32;

  private at(noun: Noun, server: i32): usize {
    return this.names + (((server * NOUNS + noun) as usize) << 2);
  }

  private isOpen(noun: Noun): bool {
    return (this.open & (1 << noun)) !== 0;
  }

  private of(noun: Noun, server: i32): NamesOfServer | null {
    return changetype<NamesOfServer | null>(load<u32>(this.at(noun, server)) as usize);
  }

  /** @param noun one that rules are about. @param server its index. @param name as the server has it; of a URI, its escapes normalized */
  has(noun: Noun, server: i32, name: Span): bool {
    if (this.isOpen(noun)) return true;
    const names = this.of(noun, server);
    return names !== null && names.table.get(name) !== 0;
  }

  /** Whether one of the names is listed that a pattern matches. */
  hasSome(noun: Noun, server: i32, pattern: Span): bool {
    if (this.isOpen(noun)) return true;
    const names = this.of(noun, server);
    for (let i = 0; names !== null && i < names.list.count; i++) if (matches(pattern, names.list.at(i))) return true;
    return false;
  }

  /** Whether any of the noun is listed. */
  reaches(noun: Noun, server: i32): bool {
    return this.isOpen(noun) || this.of(noun, server) !== null;
  }

  openAll(): AllowedNames {
    this.open = u32.MAX_VALUE;
    return this;
  }

  openOne(noun: Noun): void {
    this.open |= 1 << noun;
  }

  add(noun: Noun, server: i32, name: Span, arena: Arena): void {
    let names = this.of(noun, server);
    if (names === null) {
      names = make<NamesOfServer>(arena);
      names.table = newNameTable(arena);
      names.list = newList(arena);
      store<u32>(this.at(noun, server), changetype<usize>(names) as u32);
    }
    names.table.put(name, 1);
    names.list.push(name);
  }

  begin(servers: i32, arena: Arena): AllowedNames {
    this.names = arena.zeroed(((servers * NOUNS) as usize) << 2);
    return this;
  }
}

/**
 * Reads what a caller may use. What cannot be read names nothing, so that everything is hidden: so is what a header lists
 * that came and was not verified, or that came more than once: of several tokens jwt_authn leaves the claims of the first
 * that it finds good, which may be the client's own beside that of an earlier filter. Where there was no header, and for
 * what a list says nothing of, `absent` decides.
 * @param payload the verified payload, a serialized `google.protobuf.Struct`, or NONE
 * @param lines how often the header is there, verified or not; none also where jwt_authn has taken it away
 * @param servers how many there are
 */
export function allowedNames(
  allowed: AllowedCapabilities,
  payload: Span,
  lines: i32,
  servers: i32,
  arena: Arena,
): AllowedNames {
  const nothing = make<AllowedNames>(arena).begin(servers, arena);
  if (payload === NONE) return allowed.allowsAbsent && lines === 0 ? nothing.openAll() : nothing;
  if (lines > 1) return nothing;
  const list = listIn(payload, allowed.claim, arena);
  if (list === NONE) return nothing;
  const names = make<AllowedNames>(arena).begin(servers, arena);
  return readNouns(names, list, allowed, arena) ? names : nothing;
}

/**
 * Whether a verified payload is for a subject. One that names nobody is for nobody; without a payload there is nothing that could
 * be for another one, and where no claim is configured it is for whoever sends it.
 * @param payload as for `allowedNames`
 */
export function isForSubject(allowed: AllowedCapabilities, payload: Span, subject: Span, arena: Arena): bool {
  if (allowed.subject === NONE || payload === NONE) return true;
  const named = textClaim(payload, allowed.subject, arena);
  return named !== NONE && length(named) > 0 && equals(named, subject);
}

/** The text of a claim; NONE where it is anything else. */
function textClaim(payload: Span, claim: Span, arena: Arena): Span {
  const value = entryIn(payload, claim, arena);
  if (value === NONE) return NONE;
  const kind = fieldsIn(value, arena);
  return kind.next() && kind.field === STRING && kind.type === LENGTH_DELIMITED ? kind.bytes : NONE;
}

/** The JSON object in a claim, which is a text; NONE where it is anything else. */
function listIn(payload: Span, claim: Span, arena: Arena): Span {
  const text = textClaim(payload, claim, arena);
  if (text === NONE || !isJson(text, arena)) return NONE;
  const list = strip(text);
  // What the host gave goes with the callback.
  return kindOf(list) === Kind.Object ? arena.copy(list) : NONE;
}

/** False where it has another form, or says something twice: another reader would take the other one. */
function readNouns(names: AllowedNames, list: Span, allowed: AllowedCapabilities, arena: Arena): bool {
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const row = nounRow(noun);
    if (row.ruledBy !== noun) continue;
    let count = 0;
    for (const walk = walkThrough(list, arena); walk.next();) {
      if (!equals(walk.key(arena), row.plural)) continue;
      if (++count > 1 || walk.kind !== Kind.Object) return false;
      if (!readServers(names, noun, walk.value, allowed, arena)) return false;
    }
    if (count === 0 && allowed.allowsAbsent) names.openOne(noun);
  }
  return true;
}

/** A server that is not here has nothing to be hidden or shown. */
function readServers(names: AllowedNames, noun: Noun, value: Span, allowed: AllowedCapabilities, arena: Arena): bool {
  const seen = newNameTable(arena);
  for (const walk = walkThrough(value, arena); walk.next();) {
    if (walk.kind !== Kind.Array) return false;
    const server = walk.key(arena);
    if (server === NONE) continue;
    if (seen.get(server) !== 0) return false;
    seen.put(server, 1);
    const index = allowed.servers.get(server) as i32;
    for (const inner = walkThrough(walk.value, arena); inner.next();) {
      if (inner.kind !== Kind.String) return false;
      const name = textOf(inner.value, arena);
      if (index <= 0 || name === NONE) continue;
      names.add(noun, index - 1, nounRow(noun).isUri ? normalizedEscapes(name, arena) : name, arena);
    }
  }
  return true;
}
