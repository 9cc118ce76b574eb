import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, equals, literal, length, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { Reason } from '../mcp/errors';
import { ClaimNode, ClaimTest } from '../model/claim-tree';
import { CredentialChoice, CredentialOption, newCredentialChoice, withCredentials } from '../model/credential-choice';
import { CredentialKind, Credentials, newCredentials } from '../model/credentials';
import { Gateway } from '../model/gateway';
import { IdentityKind } from '../model/identity';
import { Server } from '../model/server';
import { NEEDS_TOKEN, readVirtualServerNames } from './authorization';
import { claimAt } from './claim-path';
import { secret } from './credentials';
import { Environment } from './environment';
import { isTrustedHeader } from './identity';
import { elementPlace, memberPlace } from './problems';
import { unkeyedFingerprint } from './fingerprints';
import { knownSection, mustBe, openSection, Section } from './section';

/** Which of several credentials a server is sent (`credentials: { type: choice }`). */
const OPTION_MEMBERS = names('values virtualServers env');
const OTHERWISE_MEMBERS = names('env');
const SERVERS = literal('servers');
const CREDENTIALS = literal('credentials');
const CLAIM = literal('claim');
const TRUSTED_HEADER = literal('trustedHeader');
const OPTIONS = literal('options');
const OTHERWISE = literal('otherwise');
const VALUES = literal('values');
const ENV = literal('env');
const REFUSE = literal('refuse');

const MOST_OPTIONS = 256;
const TOO_MANY = literal('must have at most 256 options, found ');
const ONE_SOURCE = literal('must have at most one of claim and trustedHeader');
const A_HEADER = literal(
  'the name of a header in lower case that an earlier filter sets, not a credential and not one that the gateway sets itself',
);
const NEEDS_SOURCE = literal('needs claim or trustedHeader beside options, which says what these are the values of');
const FOR_ALL = literal('must have values, virtualServers or both; what all others are sent is otherwise');
const NO_VALUES = literal('must list at least one value');
const A_TEXT = literal('a string that is not empty');
const AN_OTHERWISE = literal('"refuse" or { env: NAME }');

const FITS_NONE = literal('none of its options is for this ');
const THE_CLAIM = literal('claim ');
const THE_HEADER = literal('header ');
const THE_VIRTUAL_SERVER = literal('virtual server');

/** After virtual servers and all that is noted of servers: each option has a copy of its server. */
export function readCredentialChoices(root: Section, environment: Environment, gateway: Gateway): void {
  if (gateway.servers.count === 0) return;
  const elements = root.list(SERVERS);
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (server.credentials.kind !== CredentialKind.Choice) continue;
    const place = elementPlace(root.placeOf(SERVERS), i, root.arena);
    const parent = knownSection(elements.at(i), place, root.problems);
    const section = knownSection(parent.get(CREDENTIALS), memberPlace(place, CREDENTIALS, root.arena), root.problems);
    const choice = readChoice(section, environment, gateway, server);
    server.credentials.choice = choice;
    addVariants(gateway, server, choice);
  }
}

function readChoice(section: Section, environment: Environment, gateway: Gateway, server: Server): CredentialChoice {
  const choice = newCredentialChoice(section.arena);
  const node = readClaim(section, gateway, choice);
  readTrustedHeader(section, choice);
  const elements = section.list(OPTIONS);
  if (elements.count === 0) section.missing(OPTIONS);
  if (elements.count > MOST_OPTIONS) {
    const line = section.problems.at(section.placeOf(OPTIONS)).bytes(TOO_MANY);
    section.problems.add(line.decimal(elements.count as u64));
    return choice;
  }
  const header = server.credentials.header;
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(OPTIONS), i, section.arena);
    const element = openSection(elements.at(i), place, OPTION_MEMBERS, section.problems);
    const option = make<CredentialOption>(section.arena);
    option.virtualServers = readVirtualServerNames(element, gateway);
    readValues(element, option, choice, node, gateway);
    if (element.get(VALUES) === NONE && option.virtualServers === null)
      section.problems.add(section.problems.at(place).bytes(FOR_ALL));
    takeValue(element, option, header, environment);
    choice.options.push(changetype<usize>(option) as u64);
  }
  readOtherwise(section, choice, header, environment);
  return choice;
}

/** The node of the claim that chooses, or null where none does. */
function readClaim(section: Section, gateway: Gateway, choice: CredentialChoice): ClaimNode | null {
  const value = section.get(CLAIM);
  if (value === NONE) return null;
  if (gateway.identity.kind !== IdentityKind.Jwt) {
    section.problems.add(section.problems.at(section.placeOf(CLAIM)).bytes(NEEDS_TOKEN));
  }
  choice.claim = kindOf(value) === Kind.String ? textOf(value, section.arena) : value;
  return claimAt(section, CLAIM, gateway.claims);
}

function readTrustedHeader(section: Section, choice: CredentialChoice): void {
  if (section.get(TRUSTED_HEADER) === NONE) return;
  if (section.get(CLAIM) !== NONE) section.problems.add(section.problems.at(section.place).bytes(ONE_SOURCE));
  choice.trustedHeader = section.text(TRUSTED_HEADER, NONE);
  if (choice.trustedHeader !== NONE && !isTrustedHeader(choice.trustedHeader, section)) {
    section.mustBe(TRUSTED_HEADER, A_HEADER);
  }
}

function readValues(
  section: Section,
  option: CredentialOption,
  choice: CredentialChoice,
  node: ClaimNode | null,
  gateway: Gateway,
): void {
  if (section.get(VALUES) === NONE) return;
  const problems = section.problems;
  const isByClaim = choice.claim !== NONE;
  if (!isByClaim && choice.trustedHeader === NONE) {
    problems.add(problems.at(section.placeOf(VALUES)).bytes(NEEDS_SOURCE));
  }
  const found = newList(section.arena);
  const elements = section.list(VALUES);
  if (elements.count === 0) problems.add(problems.at(section.placeOf(VALUES)).bytes(NO_VALUES));
  for (let i = 0; i < elements.count; i++) {
    const element: Span = elements.at(i);
    const text = kindOf(element) === Kind.String ? textOf(element, section.arena) : NONE;
    if (text === NONE || length(text) === 0) {
      mustBe(elementPlace(section.placeOf(VALUES), i, section.arena), A_TEXT, element, problems);
    } else if (!isByClaim) found.push(text);
    else if (node !== null) found.push(gateway.claims.askText(node, ClaimTest.Contains, text) as u64);
  }
  if (isByClaim) option.tests = found;
  else option.values = found;
}

function readOtherwise(section: Section, choice: CredentialChoice, header: Span, environment: Environment): void {
  const value = section.get(OTHERWISE);
  const isText = value !== NONE && kindOf(value) === Kind.String;
  if (value === NONE || (isText && equals(textOf(value, section.arena), REFUSE))) {
    const credentials = choice.otherwise.credentials;
    credentials.refusal = Reason.CredentialMissing;
    credentials.detail = whatFitsNone(section, choice);
  } else if (kindOf(value) !== Kind.Object) section.mustBe(OTHERWISE, AN_OTHERWISE);
  else takeValue(section.section(OTHERWISE, OTHERWISE_MEMBERS), choice.otherwise, header, environment);
}

/** `none of its options is for this claim team`: the caller may know by what it is chosen, and never which there are. */
function whatFitsNone(section: Section, choice: CredentialChoice): Span {
  const text = newWriter(section.arena, 96).bytes(FITS_NONE);
  if (choice.claim !== NONE) return text.bytes(THE_CLAIM).bytes(choice.claim).written;
  if (choice.trustedHeader !== NONE) return text.bytes(THE_HEADER).bytes(choice.trustedHeader).written;
  return text.bytes(THE_VIRTUAL_SERVER).written;
}

function takeValue(section: Section, option: CredentialOption, header: Span, environment: Environment): void {
  option.name = section.required(ENV);
  const credentials: Credentials = newCredentials(CredentialKind.Header, section.arena);
  credentials.header = header;
  if (option.name !== NONE) credentials.value = secret(section, option.name, environment);
  option.credentials = credentials;
}

function addVariants(gateway: Gateway, server: Server, choice: CredentialChoice): void {
  const arena = choice.options.arena;
  if (gateway.variants === null) gateway.variants = newList(arena);
  const variants: List = gateway.variants!;
  for (let i = 0; i <= choice.options.count; i++) {
    const option = i < choice.options.count ? choice.optionAt(i) : choice.otherwise;
    option.server = withCredentials(server, option.credentials, arena);
    option.server.unkeyedFingerprint = unkeyedFingerprint(option.server);
    option.server.fingerprint = option.server.unkeyedFingerprint;
    variants.push(changetype<usize>(option.server) as u64);
  }
}
