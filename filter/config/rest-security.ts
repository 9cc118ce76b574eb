import { COLON, DELETE, SPACE } from '../bytes/ascii';
import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { standardText } from '../bytes/base64';
import { Span, equals, indexOf, limit, literal, pointer, NONE } from '../bytes/span';
import { names } from '../bytes/name-list';
import { newWriter } from '../bytes/writer';
import * as header from '../mcp/headers';
import { Gateway } from '../model/gateway';
import { RestSecurity } from '../model/rest';
import { isRestHeader, lowered } from './rest-headers';
import { Environment } from './environment';
import { elementPlace, Place } from './problems';
import { secretText } from './secrets';
import { openSection, Section } from './section';
import { flag } from './values';

/** How services are told who asks: `securitySchemes`, and the members that name one of them. */
const SCHEME_MEMBERS = names('id type scheme in name defaultCredential');
const USE_MEMBERS = names('id credential passthrough');
const TYPES = names('http apiKey');
const SCHEMES = names('basic bearer');
const PLACES = names('header query');
const SECURITY_SCHEMES = literal('securitySchemes');
const DEFAULT_UPSTREAM = literal('defaultUpstreamSecurity');
const DEFAULT_DOWNSTREAM = literal('defaultDownstreamSecurity');
const ID = literal('id');
const TYPE = literal('type');
const SCHEME = literal('scheme');
const IN = literal('in');
const NAME = literal('name');
const DEFAULT_CREDENTIAL = literal('defaultCredential');
const CREDENTIAL = literal('credential');
const PASSTHROUGH = literal('passthrough');
export const SECURITY = literal('security');
const BASIC = literal('Basic ');
const BEARER = literal('Bearer ');
const EMPTY = literal('');
const A_SCHEME = literal('the id of one of securitySchemes');
const A_HEADER = literal('the name of a header that a service may be sent');
const NO_CREDENTIAL = literal(
  'has no credential: neither here, nor as defaultCredential of its scheme, nor passed through',
);
const NOT_A_VALUE = literal('has a credential that cannot stand in a header');

/** One of `securitySchemes`. */
@unmanaged
class Scheme {
  id: Span;
  /** NONE: in the query. */
  header: Span;
  query: Span;
  /** What stands before the credential: `Basic `, `Bearer ` or nothing. */
  prefix: Span;
  credential: Span;
}

/** All that is said of security for all tools of a server. */
@unmanaged
export class Schemes {
  list: List;
  upstream: RestSecurity | null;
  /** Where the client's credential is taken from, where no tool says otherwise; NONE in its header: nowhere. */
  downstream: Scheme | null;
  passes: bool;

  find(id: Span): Scheme | null {
    for (let i = 0; i < this.list.count; i++) {
      const scheme = changetype<Scheme>(this.list.at(i) as usize);
      if (equals(scheme.id, id)) return scheme;
    }
    return null;
  }
}

export function readSchemes(parent: Section, environment: Environment, gateway: Gateway): Schemes {
  const schemes = make<Schemes>(parent.arena);
  schemes.list = newList(parent.arena);
  const elements = parent.list(SECURITY_SCHEMES);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(parent.placeOf(SECURITY_SCHEMES), i, parent.arena);
    const section = openSection(elements.at(i), place, SCHEME_MEMBERS, parent.problems);
    schemes.list.push(changetype<usize>(readScheme(section, environment, gateway)) as u64);
  }
  readDownstream(parent, DEFAULT_DOWNSTREAM, schemes);
  schemes.upstream = readUse(parent, DEFAULT_UPSTREAM, schemes, environment, gateway);
  return schemes;
}

function readScheme(section: Section, environment: Environment, gateway: Gateway): Scheme {
  const scheme = make<Scheme>(section.arena);
  scheme.id = section.required(ID);
  scheme.prefix = EMPTY;
  if (section.get(TYPE) === NONE) section.missing(TYPE);
  const kind = section.choice(TYPE, TYPES);
  if (kind === 0) {
    if (section.get(SCHEME) === NONE) section.missing(SCHEME);
    scheme.header = header.AUTHORIZATION;
    scheme.prefix = section.choice(SCHEME, SCHEMES) === 0 ? BASIC : BEARER;
  } else if (kind === 1) {
    if (section.get(IN) === NONE) section.missing(IN);
    const name = section.required(NAME);
    if (name !== NONE && section.choice(IN, PLACES) === 0) {
      scheme.header = lowered(name, section.arena);
      if (!isRestHeader(scheme.header, section.arena)) section.mustBe(NAME, A_HEADER);
    } else scheme.query = name;
  }
  scheme.credential = secretText(
    section.get(DEFAULT_CREDENTIAL),
    section.placeOf(DEFAULT_CREDENTIAL),
    gateway,
    environment,
    section.problems,
  );
  return scheme;
}

function schemeOf(section: Section, schemes: Schemes): Scheme | null {
  const id = section.required(ID);
  if (id === NONE) return null;
  const scheme = schemes.find(id);
  if (scheme === null) section.mustBe(ID, A_SCHEME);
  return scheme;
}

/** Where the client's own credential is taken from, and whether it is passed on. */
export function readDownstream(parent: Section, name: Span, schemes: Schemes): void {
  if (parent.get(name) === NONE) return;
  const section = parent.section(name, USE_MEMBERS);
  schemes.downstream = schemeOf(section, schemes);
  schemes.passes = flag(section, PASSTHROUGH);
}

/**
 * What a member such as `requestTemplate.security` says of a request, or null where it is absent.
 * @param schemes whose `passes` says whether the client's own credential is sent
 */
export function readUse(
  parent: Section,
  name: Span,
  schemes: Schemes,
  environment: Environment,
  gateway: Gateway,
): RestSecurity | null {
  if (parent.get(name) === NONE) return null;
  const section = parent.section(name, USE_MEMBERS);
  const scheme = schemeOf(section, schemes);
  if (scheme === null) return null;
  const place: Place = section.placeOf(CREDENTIAL);
  const own = secretText(section.get(CREDENTIAL), place, gateway, environment, section.problems);
  const credential: Span = own === NONE ? scheme.credential : own;
  const security = make<RestSecurity>(section.arena);
  security.header = scheme.header;
  security.query = scheme.query;
  security.scheme = scheme.prefix;
  const source = schemes.downstream;
  if (schemes.passes && source !== null && source.header !== NONE) {
    security.clientHeader = source.header;
    security.clientScheme = source.prefix;
    return security;
  }
  if (credential === NONE) {
    // A problem with it has been told; nothing must go out without it.
    if (section.get(CREDENTIAL) === NONE)
      section.problems.add(section.problems.at(parent.placeOf(name)).bytes(NO_CREDENTIAL));
    return security;
  }
  if (!isValue(credential)) section.problems.add(section.problems.at(parent.placeOf(name)).bytes(NOT_A_VALUE));
  const encodes = scheme.prefix === BASIC && indexOf(credential, COLON) >= 0;
  security.value = newWriter(section.arena, 128)
    .bytes(scheme.prefix)
    .bytes(encodes ? standardText(credential, section.arena) : credential).written;
  return security;
}

/** Whether a text can be the value of a header. */
function isValue(text: Span): bool {
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if (c < SPACE || c === DELETE) return false;
  }
  return true;
}
