import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { nearest } from '../bytes/nearest';
import { newNameTable } from '../bytes/names';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { AllowedCapabilities } from '../model/allowed-capabilities';
import { Gateway } from '../model/gateway';
import { IdentityKind } from '../model/identity';
import { checkIssuers } from './auth';
import { key, payloadPath } from './identity';
import { knownSection, Section, suggest } from './section';

const MEMBERS = names('jwt claim subject absent servers issuers');
/** `hide` first: what nobody configured is not shown. */
const ABSENT_CHOICES = names('hide allow');
const ALLOWED_CAPABILITIES = literal('allowedCapabilities');
const JWT = literal('jwt');
const CLAIM = literal('claim');
const SUBJECT = literal('subject');
const ABSENT = literal('absent');
const SERVERS = literal('servers');

const CAPABILITIES = literal('capabilities');
const ALLOWED_CAPABILITIES_CLAIM = literal('allowed-capabilities');

const SAME_PLACE = literal(
  'must differ from the name in identity: a token that says who asks would be read as one that says what it may use',
);
const NOBODY_ASKS = literal('needs an identity: without one nobody is known for whom the list could be');
const AN_OBJECT = literal('an object of names of servers and the names that the header has for them');
const NO_SERVER = literal('is the name of no server');
const NAME_TAKEN = literal('is what the header calls another server');

/** After the servers, whose names it may change, and after the identity and `auth`. Null: nothing is read of the header. */
export function readAllowedCapabilities(root: Section, gateway: Gateway): AllowedCapabilities | null {
  if (root.get(ALLOWED_CAPABILITIES) === NONE) return null;
  const section = root.section(ALLOWED_CAPABILITIES, MEMBERS);
  const allowed = make<AllowedCapabilities>(root.arena);
  allowed.payload = payloadPath(key(section, JWT, CAPABILITIES), root.arena);
  const identity = gateway.identity;
  if (identity.kind === IdentityKind.Jwt && equals(identity.payload, allowed.payload)) {
    section.problems.add(section.problems.at(section.placeOf(JWT)).bytes(SAME_PLACE));
  }
  allowed.claim = section.text(CLAIM, ALLOWED_CAPABILITIES_CLAIM);
  allowed.subject = section.text(SUBJECT, NONE);
  if (section.get(SUBJECT) !== NONE && identity.kind === IdentityKind.None) {
    section.problems.add(section.problems.at(section.placeOf(SUBJECT)).bytes(NOBODY_ASKS));
  }
  allowed.allowsAbsent = section.choice(ABSENT, ABSENT_CHOICES) === 1;
  readServerNames(section, allowed, gateway);
  checkIssuers(section);
  return allowed;
}

/** A server that the configuration gives no other name has its own. */
function readServerNames(parent: Section, allowed: AllowedCapabilities, gateway: Gateway): void {
  allowed.servers = newNameTable(parent.arena);
  const value = parent.get(SERVERS);
  if (value !== NONE && kindOf(value) !== Kind.Object) {
    parent.mustBe(SERVERS, AN_OBJECT);
    return;
  }
  const section = knownSection(value, parent.placeOf(SERVERS), parent.problems);
  const known = newList(parent.arena);
  for (let i = 0; i < gateway.servers.count; i++) {
    const own = gateway.serverAt(i).name;
    if (own === NONE) continue;
    known.push(own);
    const name = section.text(own, own);
    if (name === NONE) continue;
    if (allowed.servers.get(name) !== 0) {
      section.problems.add(section.problems.at(section.placeOf(own)).bytes(NAME_TAKEN));
    }
    allowed.servers.put(name, (i as usize) + 1);
  }
  for (let i = 0; i < section.count; i++) if (!has(known, section.nameAt(i))) tellUnknown(section, i, known, gateway);
}

function has(list: List, name: Span): bool {
  for (let i = 0; i < list.count; i++) if (equals(list.at(i), name)) return true;
  return false;
}

/** One of a catalog comes and goes: it is no fault that it is not there. */
function tellUnknown(section: Section, index: i32, known: List, gateway: Gateway): void {
  if (gateway.awaitsCatalog) return;
  const name = section.nameAt(index);
  const line = section.problems.at(section.placeOf(name)).bytes(NO_SERVER);
  const meant = length(name) === 0 ? NONE : nearest(name, known, section.arena);
  if (meant !== NONE) suggest(line, meant);
  if (gateway.catalogSource !== null) section.problems.warn(line);
  else section.problems.add(line);
}
