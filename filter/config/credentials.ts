import { DELETE, SPACE } from '../bytes/ascii';
import { make } from '../bytes/arena';
import { newList } from '../bytes/list';
import { Span, literal, length, limit, pointer, equals, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { Environment, variable } from './environment';
import { CredentialKind, Credentials } from '../model/credentials';
import { elementPlace, Place } from './problems';
import { names, namesIn } from '../bytes/name-list';
import { mustBe, Section } from './section';
import { addUnset } from './bad-variable';
import { isMadeOf } from './values';

const MEMBERS = names('type header env headers');
const KINDS = names('none header passthrough');
const TYPE = literal('type');
const HEADER = literal('header');
const HEADERS = literal('headers');
const ENV = literal('env');

/** Framing, routing and protocol are ours: a credential in one of these would be lost or would break the message. */
const RESERVED = names(
  'host connection keep-alive content-length content-type content-encoding transfer-encoding upgrade http2-settings te ' +
    'trailer expect via accept accept-encoding mcp-session-id mcp-protocol-version mcp-method mcp-name ' +
    'x-mcp-virtualserver x-mcp-servername x-mcp-method x-mcp-toolname x-mcp-promptname x-mcp-resourceuri x-mcp-cluster ' +
    'x-envoy-original-dst-host x-envoy-upstream-rq-per-try-timeout-ms',
);
const TOKEN_CHARACTERS = literal('-_.');
const A_HEADER = literal('the name of a header in lower case, not one that the gateway sets itself');
const NOT_A_VALUE = literal('names an environment variable whose value cannot stand in a header');
const UNUSED = literal('has no meaning with this type');

export function readCredentials(parent: Section, name: Span, environment: Environment): Credentials {
  const section = parent.section(name, MEMBERS);
  const credentials = make<Credentials>(section.arena);
  credentials.headers = newList(section.arena);
  const kind = section.choice(TYPE, KINDS);
  credentials.kind = max(kind, CredentialKind.None);
  if (kind < 0) return credentials;
  if (kind !== CredentialKind.Header) {
    refuseUnused(section, HEADER);
    refuseUnused(section, ENV);
  }
  if (kind !== CredentialKind.Passthrough) refuseUnused(section, HEADERS);

  if (kind === CredentialKind.Header) {
    credentials.header = section.required(HEADER);
    if (credentials.header !== NONE && !isHeaderName(credentials.header, section)) section.mustBe(HEADER, A_HEADER);
    const env = section.required(ENV);
    if (env !== NONE) credentials.value = secret(section, env, environment);
  } else if (kind === CredentialKind.Passthrough) {
    if (section.get(HEADERS) === NONE) section.missing(HEADERS);
    const elements = section.list(HEADERS);
    for (let i = 0; i < elements.count; i++) {
      const value: Span = elements.at(i);
      const header = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
      const place: Place = elementPlace(section.placeOf(HEADERS), i, section.arena);
      if (header === NONE || !isHeaderName(header, section)) mustBe(place, A_HEADER, value, section.problems);
      else credentials.headers.push(header);
    }
  }
  return credentials;
}

function refuseUnused(section: Section, name: Span): void {
  if (section.get(name) !== NONE) section.problems.add(section.problems.at(section.placeOf(name)).bytes(UNUSED));
}

export function isHeaderName(text: Span, section: Section): bool {
  if (length(text) === 0 || !isMadeOf(text, TOKEN_CHARACTERS)) return false;
  const reserved = namesIn(RESERVED, section.arena);
  for (let i = 0; i < reserved.count; i++) if (equals(reserved.at(i), text)) return false;
  return true;
}

/** A header value with CR, LF or NUL passes the host call and then fails the request with a bare 503: refused here. */
function secret(section: Section, env: Span, environment: Environment): Span {
  const value = variable(environment, env);
  if (value === NONE) {
    addUnset(section.problems, section.placeOf(ENV), env);
    return NONE;
  }
  let fits = length(value) > 0;
  for (let at = pointer(value); at < limit(value); at++) {
    const c = load<u8>(at);
    if (c < SPACE || c === DELETE) fits = false;
  }
  if (!fits) section.problems.add(section.problems.at(section.placeOf(ENV)).bytes(NOT_A_VALUE));
  return value;
}
