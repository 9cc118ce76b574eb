import { SPACE } from '../bytes/ascii';
import { Arena, make } from '../bytes/arena';
import { Span, after, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { isString, textOf } from '../json/text';
import * as header from '../mcp/headers';
import { isHeaderName } from './credentials';
import { Identity, IdentityKind } from '../model/identity';
import { names } from '../bytes/name-list';
import { Section } from './section';

const MEMBERS = names('jwt subject issuer trustedHeader');
const JWT = literal('jwt');
const SUBJECT = literal('subject');
const ISSUER = literal('issuer');
const TRUSTED_HEADER = literal('trustedHeader');

const A_NONE = literal('none');
const SUB = literal('sub');
const ISS = literal('iss');
/** Where Envoy's jwt_authn filter puts a payload that it verified, under the name in `payload_in_metadata`. */
const METADATA = literal('metadata\0filter_metadata\0');
const JWT_AUTHN = literal('envoy.filters.http.jwt_authn\0');

const AN_IDENTITY = literal('"none", { jwt: ... } or { trustedHeader: ... }');
const A_KEY = literal('a name without control characters');
const A_HEADER = literal(
  'the name of a header in lower case that an earlier filter sets, not a credential and not one that the gateway sets itself',
);
const EITHER = literal('must have either jwt or trustedHeader');
const JWT_ONLY = literal('has no meaning with trustedHeader');

/** Whose sessions are whose: what a session is bound to beside the endpoint. */
export function readIdentity(parent: Section, name: Span): Identity {
  const arena = parent.arena;
  const identity = make<Identity>(arena);
  const value = parent.get(name);
  if (value === NONE) return identity;
  if (isString(value) && equals(textOf(value, arena), A_NONE)) return identity;
  if (kindOf(value) !== Kind.Object) {
    parent.mustBe(name, AN_IDENTITY);
    return identity;
  }
  const section = parent.section(name, MEMBERS);
  const jwt = section.get(JWT) !== NONE;
  if (jwt === (section.get(TRUSTED_HEADER) !== NONE)) {
    section.problems.add(section.problems.at(section.place).bytes(EITHER));
  } else if (jwt) {
    byToken(identity, key(section, JWT, NONE), key(section, SUBJECT, SUB), key(section, ISSUER, ISS), arena);
  } else {
    identity.kind = IdentityKind.TrustedHeader;
    identity.header = section.text(TRUSTED_HEADER, NONE);
    if (identity.header !== NONE && !isTrustedHeader(identity.header, section)) {
      section.mustBe(TRUSTED_HEADER, A_HEADER);
    }
    refuseUnused(section, SUBJECT);
    refuseUnused(section, ISSUER);
  }
  return identity;
}

/** By a token, with the names that everybody gives the claims: what `auth` means without an `identity`. */
export function impliedIdentity(arena: Arena): Identity {
  return byToken(make<Identity>(arena), JWT, SUB, ISS, arena);
}

/** @param payload name of the verified payload. @param subject name of the claim. @param issuer the same */
function byToken(identity: Identity, payload: Span, subject: Span, issuer: Span, arena: Arena): Identity {
  identity.kind = IdentityKind.Jwt;
  identity.payload = payloadPath(payload, arena);
  identity.subject = claimPath(payload, subject, arena);
  identity.issuer = claimPath(payload, issuer, arena);
  return identity;
}

/** A name in the metadata of jwt_authn: a NUL would begin another step of the path. */
export function key(section: Section, name: Span, byDefault: Span): Span {
  const text = section.text(name, byDefault);
  for (let at = pointer(text); at < limit(text); at++) {
    if (load<u8>(at) >= SPACE) continue;
    section.mustBe(name, A_KEY);
    break;
  }
  return text;
}

function claimPath(payload: Span, claim: Span, arena: Arena): Span {
  return newWriter(arena, 96).bytes(METADATA).bytes(JWT_AUTHN).bytes(payload).byte(0).bytes(claim).written;
}

/** Where the payload of this name lies: filter and name, NUL between. */
export function payloadPath(payload: Span, arena: Arena): Span {
  return newWriter(arena, 64).bytes(JWT_AUTHN).bytes(payload).written;
}

/** The part of a claim's path that leads from the metadata of all filters to it: filter, payload and claim. */
export function claimWithin(path: Span): Span {
  return after(path, length(METADATA) as u32);
}

/** A credential would be bound raw, and changes while its holder does not. */
export function isTrustedHeader(text: Span, section: Section): bool {
  if (equals(text, header.AUTHORIZATION) || equals(text, header.COOKIE)) return false;
  return !equals(text, header.PROXY_AUTHORIZATION) && isHeaderName(text, section);
}

function refuseUnused(section: Section, name: Span): void {
  if (section.get(name) !== NONE) section.problems.add(section.problems.at(section.placeOf(name)).bytes(JWT_ONLY));
}
