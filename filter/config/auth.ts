import { BACKSLASH, CLOSING_BRACKET, COMMA, HASH, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, length, limit, literal, pointer, startsWith, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { textOf, writeEscaped } from '../json/text';
import { Gateway } from '../model/gateway';
import { IdentityKind } from '../model/identity';
import { ProtectedResource } from '../model/protected-resource';
import { isOrigin } from './access';
import { impliedIdentity } from './identity';
import { elementPlace } from './problems';
import { readScopeList, scopeText } from './scopes';
import { mustBe, openSection, Section } from './section';
import { isVisibleText } from './values';

const MEMBERS = names('resource authorizationServers scopes issuers');
const ISSUER_MEMBERS = names('issuer audiences jwks');
const JWKS_MEMBERS = names('file url cluster');
const PUBLIC_URL = literal('publicUrl');
const AUTH = literal('auth');
const RESOURCE = literal('resource');
const AUTHORIZATION_SERVERS = literal('authorizationServers');
const SCOPES = literal('scopes');
const ISSUERS = literal('issuers');
const ISSUER = literal('issuer');
const AUDIENCES = literal('audiences');
const JWKS = literal('jwks');
const FILE = literal('file');
const URL = literal('url');
const CLUSTER = literal('cluster');
const IDENTITY = literal('identity');

const HTTP = literal('http://');
const HTTPS = literal('https://');
const SERVERS_MEMBER = literal(',"authorization_servers":');
const SCOPES_MEMBER = literal(',"scopes_supported":');
const METHODS_MEMBER = literal(',"bearer_methods_supported":["header"]');

const AN_ORIGIN = literal(
  'the scheme and host under which clients reach the gateway, such as "https://mcp.example.com"',
);
const A_URL = literal('an http or https URL without a fragment');
const A_TEXT = literal('a string that is not empty');
const ONE_SOURCE = literal('must have file, or url and cluster');
const NEEDS_JWT = literal('must be { jwt: ... } where auth says how tokens are verified');

/** Where clients reach the gateway from outside, or NONE: as each request says. */
export function readPublicUrl(root: Section): Span {
  const text = root.text(PUBLIC_URL, NONE);
  if (text !== NONE && !isOrigin(text)) root.mustBe(PUBLIC_URL, AN_ORIGIN);
  return text;
}

/** What OAuth's clients are told, or null. After the identity, which it implies where none is configured. */
export function readAuth(root: Section, gateway: Gateway): ProtectedResource | null {
  if (root.get(AUTH) === NONE) return null;
  const section = root.section(AUTH, MEMBERS);
  const resource = make<ProtectedResource>(root.arena);
  resource.identifier = section.text(RESOURCE, NONE);
  if (resource.identifier !== NONE && !isUrl(resource.identifier)) section.mustBe(RESOURCE, A_URL);
  const servers = readTexts(section, AUTHORIZATION_SERVERS, true);
  const scopes = readScopeList(section, SCOPES);
  resource.scopes = scopeText(scopes);
  const members = newWriter(root.arena, 256);
  writeList(members, SERVERS_MEMBER, servers);
  writeList(members, SCOPES_MEMBER, scopes);
  resource.members = members.bytes(METHODS_MEMBER).written;
  checkIssuers(section);
  resource.issuers = section.list(ISSUERS).count as u32;
  if (root.get(IDENTITY) === NONE) gateway.identity = impliedIdentity(root.arena);
  else if (gateway.identity.kind !== IdentityKind.Jwt) {
    root.problems.add(root.problems.at(root.placeOf(IDENTITY)).bytes(NEEDS_JWT));
  }
  return resource;
}

/** The filter before the module is made of them by `sluice start`; the module checks their form alone. */
export function checkIssuers(parent: Section): void {
  const elements = parent.list(ISSUERS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(parent.placeOf(ISSUERS), i, parent.arena);
    const section = openSection(elements.at(i), place, ISSUER_MEMBERS, parent.problems);
    section.required(ISSUER);
    readTexts(section, AUDIENCES, false);
    if (section.get(JWKS) === NONE) section.missing(JWKS);
    const keys = section.section(JWKS, JWKS_MEMBERS);
    const isFile = keys.text(FILE, NONE) !== NONE;
    const isRemote = keys.text(URL, NONE) !== NONE;
    if (isFile === isRemote || isRemote !== (keys.text(CLUSTER, NONE) !== NONE)) {
      section.problems.add(section.problems.at(section.placeOf(JWKS)).bytes(ONE_SOURCE));
    }
  }
}

/** @param urls each must be one, without white space */
function readTexts(section: Section, name: Span, urls: bool): List {
  const texts = newList(section.arena);
  const elements = section.list(name);
  for (let i = 0; i < elements.count; i++) {
    const value: Span = elements.at(i);
    const text = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
    if (text !== NONE && length(text) > 0 && (!urls || isUrl(text))) texts.push(text);
    else {
      const place = elementPlace(section.placeOf(name), i, section.arena);
      mustBe(place, urls ? A_URL : A_TEXT, value, section.problems);
    }
  }
  return texts;
}

/** Whether it can stand in a quoted string of a header, too. */
export function isUrl(text: Span): bool {
  if (!startsWith(text, HTTPS) && !startsWith(text, HTTP)) return false;
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if (c === QUOTE || c === BACKSLASH || c === HASH) return false;
  }
  return isVisibleText(text);
}

function writeList(writer: Writer, member: Span, texts: List): void {
  if (texts.count === 0) return;
  writer.bytes(member).byte(OPENING_BRACKET);
  for (let i = 0; i < texts.count; i++) {
    if (i > 0) writer.byte(COMMA);
    writer.byte(QUOTE);
    writeEscaped(writer, texts.at(i));
    writer.byte(QUOTE);
  }
  writer.byte(CLOSING_BRACKET);
}
