import { DELETE, SPACE } from '../bytes/ascii';
import { List } from '../bytes/list';
import { Span, literal, length, limit, pointer, equals, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { Environment, variable } from './environment';
import { CredentialKind, Credentials, newCredentials } from '../model/credentials';
import { elementPlace, Place } from './problems';
import * as header from '../mcp/headers';
import { readTokenExchange } from './token-exchange';
import { names, namesIn } from '../bytes/name-list';
import { mustBe, Section } from './section';
import { addUnset } from './bad-variable';
import { isMadeOf } from './values';

const MEMBERS = names(
  'type header env headers claim trustedHeader options otherwise tokenEndpoint cluster client audience resource scopes',
);
/** In the order of CredentialKind. */
const KINDS = names('none header passthrough choice exchange');
/** By kind: the members that it has beside `type`. */
const OF_HEADER = names('header env');
const OF_PASSTHROUGH = names('headers');
const OF_CHOICE = names('header claim trustedHeader options otherwise');
const OF_EXCHANGE = names('tokenEndpoint cluster client audience resource scopes');
const OF_NONE = names('');
const TYPE = literal('type');
const HEADER = literal('header');
const HEADERS = literal('headers');
const ENV = literal('env');

/** Framing, routing and protocol are ours: a credential in one of these would be lost or would break the message. */
const RESERVED = names(
  'host connection keep-alive content-length content-type content-encoding transfer-encoding upgrade http2-settings te ' +
    'trailer expect via traceparent tracestate baggage accept accept-encoding mcp-session-id mcp-protocol-version mcp-method mcp-name ' +
    'x-mcp-virtualserver x-mcp-servername x-mcp-method x-mcp-toolname x-mcp-promptname x-mcp-resourceuri x-mcp-eventname x-mcp-cluster ' +
    'x-envoy-original-dst-host x-envoy-upstream-rq-per-try-timeout-ms',
);
const TOKEN_CHARACTERS = literal('-_.');
const A_HEADER = literal('the name of a header in lower case, not one that the gateway sets itself');
const NOT_A_VALUE = literal('names an environment variable whose value cannot stand in a header');
const UNUSED = literal('has no meaning with this type');

export function readCredentials(parent: Section, name: Span, environment: Environment): Credentials {
  const section = parent.section(name, MEMBERS);
  const kind = section.choice(TYPE, KINDS);
  const credentials = newCredentials(max(kind, CredentialKind.None), section.arena);
  if (kind < 0) return credentials;
  refuseUnused(section, kind);
  if (kind === CredentialKind.Header || kind === CredentialKind.Choice) {
    credentials.header = section.required(HEADER);
    if (credentials.header !== NONE && !isHeaderName(credentials.header, section)) section.mustBe(HEADER, A_HEADER);
  }
  if (kind === CredentialKind.Exchange) {
    credentials.header = header.AUTHORIZATION;
    credentials.headers.push(header.AUTHORIZATION);
    credentials.exchange = readTokenExchange(section, environment);
  }
  // The options of a choice are read once all that they name is there, see credential-choice.ts.
  if (kind === CredentialKind.Header) {
    const env = section.required(ENV);
    if (env !== NONE) credentials.value = secret(section, env, environment);
  } else if (kind === CredentialKind.Passthrough) {
    if (section.get(HEADERS) === NONE) section.missing(HEADERS);
    const elements = section.list(HEADERS);
    for (let i = 0; i < elements.count; i++) {
      const value: Span = elements.at(i);
      const name = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
      const place: Place = elementPlace(section.placeOf(HEADERS), i, section.arena);
      if (name === NONE || !isHeaderName(name, section)) mustBe(place, A_HEADER, value, section.problems);
      else credentials.headers.push(name);
    }
  }
  return credentials;
}

function refuseUnused(section: Section, kind: CredentialKind): void {
  const all = namesIn(MEMBERS, section.arena);
  const own = namesIn(membersOf(kind), section.arena);
  for (let i = 0; i < all.count; i++) {
    const name: Span = all.at(i);
    if (equals(name, TYPE) || section.get(name) === NONE || isIn(own, name)) continue;
    section.problems.add(section.problems.at(section.placeOf(name)).bytes(UNUSED));
  }
}

function membersOf(kind: CredentialKind): Span {
  if (kind === CredentialKind.Header) return OF_HEADER;
  if (kind === CredentialKind.Passthrough) return OF_PASSTHROUGH;
  if (kind === CredentialKind.Exchange) return OF_EXCHANGE;
  return kind === CredentialKind.Choice ? OF_CHOICE : OF_NONE;
}

function isIn(list: List, name: Span): bool {
  for (let i = 0; i < list.count; i++) if (equals(list.at(i), name)) return true;
  return false;
}

export function isHeaderName(text: Span, section: Section): bool {
  if (length(text) === 0 || !isMadeOf(text, TOKEN_CHARACTERS)) return false;
  return !isIn(namesIn(RESERVED, section.arena), text);
}

/** A header value with CR, LF or NUL passes the host call and then fails the request with a bare 503: refused here. */
export function secret(section: Section, env: Span, environment: Environment): Span {
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
