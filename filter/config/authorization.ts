import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { NameTable, newNameTable } from '../bytes/names';
import { nearest } from '../bytes/nearest';
import { names } from '../bytes/name-list';
import { Span, equals, limit, literal, pointer, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { FIRST_NOUN, LAST_NOUN, nounRow } from '../mcp/nouns';
import { Authorization, AuthorizationRule, Effect, newAuthorization } from '../model/authorization';
import { newArgumentTree } from '../model/argument-tree';
import { ClaimNode, ClaimTest, ClaimTree, PatternOn } from '../model/claim-tree';
import { Gateway } from '../model/gateway';
import { simplified } from '../model/glob';
import { IdentityKind } from '../model/identity';
import { NameSet, newNameSet } from '../model/name-set';
import { newVirtualServer } from '../model/virtual-server';
import { readAnnotations } from './annotations';
import { readArguments } from './arguments';
import { claimAt } from './claim-path';
import { divide } from './division';
import { readPatternsOn } from './patterns';
import { elementPlace, Place } from './problems';
import { readScopeList, scopeText } from './scopes';
import { mustBeLine, openSection, Section, suggest } from './section';

const MEMBERS = names('default rules');
const RULE_MEMBERS = names(
  'name effect claims scopes virtualServers servers tools prompts resources events arguments annotations',
);
const CLAIM_MEMBERS = names('path type equals contains matches');
/** In the order of Effect. */
const EFFECTS = names('allow deny stepUp');
const DEFAULTS = names('deny allow');
/** In the order of ClaimType. */
const TYPES = names('any text list number boolean');

const AUTHORIZATION = literal('authorization');
const DEFAULT = literal('default');
const RULES = literal('rules');
const NAME = literal('name');
const EFFECT = literal('effect');
const CLAIMS = literal('claims');
const SCOPES = literal('scopes');
const VIRTUAL_SERVERS = literal('virtualServers');
const SERVERS = literal('servers');
const PATH = literal('path');
const TYPE = literal('type');
const EQUALS = literal('equals');
const CONTAINS = literal('contains');
const MATCHES = literal('matches');

const MAX_RULES = 1000;
/** Beyond, two numbers share a double (2^53), and no rule may take one for the other. */
const MAX_NUMBER: f64 = 9007199254740991;

const NAME_TAKEN = literal('is the name of another rule');
export const NEEDS_TOKEN = literal('needs identity: { jwt: ... }: nobody else has verified what a token says');
const NEEDS_SCOPES = literal('must list the scopes that a call needs, where effect is stepUp');
const ONE_TEST = literal('must have one of equals, contains and matches');
const TOO_MANY = literal('must have at most 1000 rules, found ');
const A_VALUE = literal('a string, true, false, or a whole number up to 2^53 - 1');
const OTHER_TYPE = literal(' does not go with this type');
const A_SERVER = literal('the name of a server');
const A_VIRTUAL_SERVER = literal('the name of a virtual server');

const enum ClaimType {
  Any,
  Text,
  List,
  Number,
  Boolean,
}

/** Who may use what; after the servers and virtual servers, which rules name. Null where everybody may use everything. */
export function readAuthorization(root: Section, gateway: Gateway): Authorization | null {
  if (root.get(AUTHORIZATION) === NONE) return null;
  const section = root.section(AUTHORIZATION, MEMBERS);
  const tree = gateway.claims;
  const places = newArgumentTree(root.arena);
  const authorization = newAuthorization(places, root.arena);
  authorization.allowsByDefault = section.choice(DEFAULT, DEFAULTS) === 1;
  const elements = section.list(RULES);
  if (elements.count > MAX_RULES) {
    const line = section.problems.at(section.placeOf(RULES)).bytes(TOO_MANY);
    section.problems.add(line.decimal(elements.count as u64));
    return authorization;
  }
  const taken = newNameTable(root.arena);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(RULES), i, root.arena);
    const element = openSection(elements.at(i), place, RULE_MEMBERS, root.problems);
    const rule = readRule(element, gateway, tree, taken);
    rule.arguments = readArguments(element, places, gateway.hostMode);
    readAnnotations(element, rule);
    authorization.rules.push(changetype<usize>(rule) as u64);
  }
  return authorization;
}

function readRule(section: Section, gateway: Gateway, tree: ClaimTree, taken: NameTable): AuthorizationRule {
  const rule = make<AuthorizationRule>(section.arena);
  rule.name = section.required(NAME);
  if (rule.name !== NONE) {
    if (taken.get(rule.name) !== 0) section.problems.add(section.problems.at(section.placeOf(NAME)).bytes(NAME_TAKEN));
    taken.put(rule.name, 1);
  }
  rule.effect = max(section.choice(EFFECT, EFFECTS), Effect.Allow);
  rule.claims = readClaims(section, tree);
  readScopes(section, rule, tree);
  if (gateway.identity.kind !== IdentityKind.Jwt) {
    refuseUnverified(section, CLAIMS);
    refuseUnverified(section, SCOPES);
  }
  rule.virtualServers = readVirtualServerNames(section, gateway);
  rule.servers = readServerNames(section, gateway);
  readTargets(section, rule, gateway);
  return rule;
}

function refuseUnverified(section: Section, name: Span): void {
  if (section.get(name) === NONE) return;
  section.problems.add(section.problems.at(section.placeOf(name)).bytes(NEEDS_TOKEN));
}

function readClaims(parent: Section, tree: ClaimTree): List {
  const tests = newList(parent.arena);
  const elements = parent.list(CLAIMS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(parent.placeOf(CLAIMS), i, parent.arena);
    const section = openSection(elements.at(i), place, CLAIM_MEMBERS, parent.problems);
    const node = claimAt(section, PATH, tree);
    const test = node === null ? 0 : readTest(section, node, tree);
    if (test !== 0) tests.push(test as u64);
  }
  return tests;
}

/** The number of the question, or 0 with a problem. */
function readTest(section: Section, node: ClaimNode, tree: ClaimTree): u32 {
  const type = section.choice(TYPE, TYPES);
  const tests =
    (section.get(EQUALS) === NONE ? 0 : 1) +
    (section.get(CONTAINS) === NONE ? 0 : 1) +
    (section.get(MATCHES) === NONE ? 0 : 1);
  if (tests !== 1) {
    section.problems.add(section.problems.at(section.place).bytes(ONE_TEST));
    return 0;
  }
  if (type < 0) return 0;
  if (section.get(EQUALS) !== NONE) return readEquals(section, node, tree, type);
  const isContains = section.get(CONTAINS) !== NONE;
  const member: Span = isContains ? CONTAINS : MATCHES;
  const text = section.text(member, NONE);
  if (text === NONE) return 0;
  if (!fits(section, member, type, type === ClaimType.List || (!isContains && type === ClaimType.Text))) return 0;
  if (isContains) return tree.askText(node, type === ClaimType.List ? ClaimTest.InList : ClaimTest.Contains, text);
  const on: u32 =
    type === ClaimType.Any
      ? PatternOn.Text | PatternOn.List
      : type === ClaimType.Text
        ? PatternOn.Text
        : PatternOn.List;
  return tree.askPattern(node, simplified(text, section.arena), on);
}

function readEquals(section: Section, node: ClaimNode, tree: ClaimTree, type: ClaimType): u32 {
  const value = section.get(EQUALS);
  const kind = kindOf(value);
  if (kind === Kind.String) {
    const text = section.text(EQUALS, NONE);
    if (text === NONE || !fits(section, EQUALS, type, type === ClaimType.Text)) return 0;
    return tree.askText(node, ClaimTest.Equals, text);
  }
  if (kind === Kind.True || kind === Kind.False) {
    if (!fits(section, EQUALS, type, type === ClaimType.Boolean)) return 0;
    return tree.askScalar(node, false, kind === Kind.True ? 1 : 0);
  }
  const number = kind === Kind.Number ? wholeNumber(value) : NaN;
  if (isNaN<f64>(number)) {
    section.mustBe(EQUALS, A_VALUE);
    return 0;
  }
  return fits(section, EQUALS, type, type === ClaimType.Number) ? tree.askScalar(node, true, number) : 0;
}

/** Whether a test goes with the type that is asked for, with a problem where not. */
function fits(section: Section, member: Span, type: ClaimType, isIts: bool): bool {
  if (type === ClaimType.Any || isIts) return true;
  section.problems.add(section.problems.at(section.placeOf(TYPE)).bytes(member).bytes(OTHER_TYPE));
  return false;
}

/** NaN where it is none, or has more digits than a double holds. */
function wholeNumber(token: Span): f64 {
  const negative = load<u8>(pointer(token)) === 0x2d;
  let value: f64 = 0;
  for (let at = pointer(token) + (negative ? 1 : 0); at < limit(token); at++) {
    const digit = (load<u8>(at) as u32) - 0x30;
    value = value * 10 + (digit as f64);
    if (digit > 9 || value > MAX_NUMBER) return NaN;
  }
  return negative ? -value : value;
}

function readScopes(section: Section, rule: AuthorizationRule, tree: ClaimTree): void {
  const scopes = readScopeList(section, SCOPES);
  rule.scopes = newList(section.arena);
  for (let i = 0; i < scopes.count; i++) rule.scopes.push(tree.askScope(scopes.at(i)) as u64);
  rule.scopeText = scopeText(scopes);
  if (rule.effect === Effect.StepUp && section.list(SCOPES).count === 0) {
    section.problems.add(section.problems.at(section.placeOf(SCOPES)).bytes(NEEDS_SCOPES));
  }
}

/** Null where the member is absent: anywhere. */
export function readVirtualServerNames(section: Section, gateway: Gateway): NameSet | null {
  if (section.get(VIRTUAL_SERVERS) === NONE) return null;
  const set = newNameSet(section.arena);
  const known = newList(section.arena);
  for (let i = 0; i < gateway.virtualServers.count; i++) known.push(gateway.virtualServerAt(i).name);
  const elements = section.list(VIRTUAL_SERVERS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(VIRTUAL_SERVERS), i, section.arena);
    const found = indexIn(known, elements.at(i), A_VIRTUAL_SERVER, place, section, gateway);
    if (found >= 0) set.add(known.at(found));
  }
  return set;
}

/** 0 where the member is absent: all. */
function readServerNames(section: Section, gateway: Gateway): usize {
  if (section.get(SERVERS) === NONE) return 0;
  const marks = section.arena.zeroed(max(gateway.servers.count, 1) as usize);
  const known = newList(section.arena);
  for (let i = 0; i < gateway.servers.count; i++) known.push(gateway.serverAt(i).name);
  const elements = section.list(SERVERS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(SERVERS), i, section.arena);
    const found = indexIn(known, elements.at(i), A_SERVER, place, section, gateway);
    if (found >= 0) store<u8>(marks + (found as usize), 1);
  }
  return marks;
}

/**
 * Where a name stands in a list, or -1 with a problem; without one where it may be in a catalog, which comes and goes.
 * @param known of Span; some may be NONE
 */
function indexIn(known: List, value: Span, what: Span, place: Place, section: Section, gateway: Gateway): i32 {
  const text = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
  const usable = newList(section.arena);
  for (let i = 0; i < known.count; i++) {
    if (known.at(i) === NONE) continue;
    if (text !== NONE && equals(known.at(i), text)) return i;
    usable.push(known.at(i));
  }
  if (text !== NONE && gateway.awaitsCatalog) return -1;
  const line = mustBeLine(place, what, value, section.problems);
  const meant = text === NONE ? NONE : nearest(text, usable, section.arena);
  if (meant !== NONE) suggest(line, meant);
  if (text !== NONE && gateway.catalogSource !== null) section.problems.warn(line);
  else section.problems.add(line);
  return -1;
}

/** The nouns that a rule names are those that it is about; where it names none, it is about all. */
function readTargets(section: Section, rule: AuthorizationRule, gateway: Gateway): void {
  const targets = newVirtualServer(rule.name, gateway.servers.count, section.arena);
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const row = nounRow(noun);
    const member = row.plural;
    if (row.ruledBy !== noun || section.get(member) === NONE) continue;
    rule.targets = targets;
    const patterns = readPatternsOn(row, section, member);
    // Names and prefixes that are wrong themselves would only add to what has been said about them.
    if (section.problems.lines.count === 0) {
      divide(targets, noun, patterns, gateway, section.placeOf(member), section.problems);
    }
  }
}
