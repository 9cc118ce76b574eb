import { Arena } from '../bytes/arena';
import { bytesOfStandard } from '../bytes/base64';
import { List, newList } from '../bytes/list';
import { newNameTable } from '../bytes/names';
import { fieldsIn, LENGTH_DELIMITED } from '../bytes/protobuf';
import { entryIn, STRING } from '../bytes/protobuf-struct';
import { Span, after, between, equals, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf, writeEscaped } from '../json/text';
import { errorRow, Reason } from '../mcp/errors';
import { FIRST_NOUN, LAST_NOUN, Noun, NounRow, nounRow } from '../mcp/nouns';
import { AuthorizationRule, Effect } from '../model/authorization';
import { Gateway } from '../model/gateway';
import { isExact } from '../model/glob';
import { Identity, IdentityKind } from '../model/identity';
import { Override } from '../model/overrides';
import { Server } from '../model/server';
import { markIn, ownerOfUri } from '../model/uri-owner';
import { Hint } from '../mcp/tool-hints';
import { Fact, NO_FACTS } from '../model/tool-facts';
import { asksForArguments, hiddenBy, Hider, hiderText, mayReach, ruleOn, stepUpFor } from '../policy/decision';
import { allowedNames, isForSubject } from '../policy/allowed-names';
import { chosenOption } from '../policy/chosen-credentials';
import { answersIn, ClaimAnswers } from '../policy/claims';
import { permissionsOf } from '../policy/permissions';
import { isSubject } from '../session/identity';
import { Scope, scopeOf } from '../policy/scope';
import { plainNameIn, serverOf } from './call';

/**
 * Says what a caller may see and use, and what decides it, without a request: for who writes rules (`sluice check --as`).
 * The decision is the one of lists and calls, see policy/decision.ts.
 *
 *     question  { claims, authorized, virtualServer, tools, prompts, resources }
 *               claims, authorized: payloads of tokens, each a google.protobuf.Struct in base64
 *     answer    { noun, name, decision, by, rule, effect, scopes, arguments } for each name, or one { refused };
 *               { server, credential | dependsOn } for each server that chooses its credential, neither: it is refused
 */
const CLAIMS = literal('claims');
/** What the header says that `allowedCapabilities` reads. */
const AUTHORIZED = literal('authorized');
const VIRTUAL_SERVER = literal('virtualServer');
const BY_DEFAULT = literal('default');
const BY_RULE = literal('rule');
const BY_NOTHING = literal('nothing');
const ALLOWED = literal('allowed');
const STEP_UP = literal('stepUp');
const HIDDEN = literal('hidden');
const DEPENDS = literal('depends');
const ALLOW = literal('allow');
const DENY = literal('deny');
const OPEN_NOUN = literal('{"noun":"');
const NAME = literal('","name":"');
const DECISION = literal('","decision":"');
const BY = literal('","by":"');
const RULE = literal('","rule":"');
const EFFECT = literal('","effect":"');
const SCOPES = literal('","scopes":"');
const CLOSE = literal('"}');
const CLOSE_WITH_ARGUMENTS = literal('","arguments":true}');
const OPEN_REFUSAL = literal('{"refused":"');
const OPEN_SERVER = literal('{"server":"');
const IS_SENT = literal('","credential":"');
const DEPENDS_ON = literal('","dependsOn":"');
const SLASH_TEXT = literal('/');

/** @param question JSON. Returns lines of JSON */
export function explain(gateway: Gateway, question: Span, arena: Arena): List {
  const lines = newList(arena);
  const claims = payloadIn(question, CLAIMS, arena);
  if (!isIdentified(gateway.identity, claims, arena)) {
    lines.push(refusal(Reason.Unauthenticated, arena));
    return lines;
  }
  const scope = scopeOf(gateway, behindOf(question, arena), NONE, arena);
  if (scope.refusal !== NONE) {
    lines.push(refusal(Reason.UnknownVirtualServer, arena));
    return lines;
  }
  const answers = answersIn(gateway.claims, claims, arena);
  const authorization = gateway.authorization;
  if (authorization !== null) {
    scope.permissions = permissionsOf(authorization, answers, scope.path, scope.header, arena);
  }
  const allowed = gateway.allowedCapabilities;
  if (allowed !== null) {
    const payload = payloadIn(question, AUTHORIZED, arena);
    // In a trusted header, nobody's claims say who asks.
    const subject = textAt(gateway.identity.subject, claims, arena);
    if (gateway.identity.kind === IdentityKind.Jwt && !isForSubject(allowed, payload, subject, arena)) {
      lines.push(refusal(Reason.OtherSubject, arena));
      return lines;
    }
    scope.allowed = allowedNames(allowed, payload, 0, gateway.servers.count, arena);
  }
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    const row = nounRow(noun);
    if (row.ruledBy !== noun) continue;
    const names = namesOf(gateway, row, member(question, row.plural, arena), scope, arena);
    for (let i = 0; i < names.count; i++) lines.push(decision(gateway, row, names.at(i), scope, arena));
  }
  explainCredentials(gateway, answers, scope, lines);
  return lines;
}

/** Which credential each server that has several is sent for this caller; by its name, never its value. */
function explainCredentials(gateway: Gateway, answers: ClaimAnswers, scope: Scope, lines: List): void {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    const choice = server.credentials.choice;
    if (choice === null || !mayReach(server, scope)) continue;
    const line = newWriter(lines.arena, 128).bytes(OPEN_SERVER).bytes(server.name);
    if (choice.trustedHeader !== NONE) writeEscaped(line.bytes(DEPENDS_ON), choice.trustedHeader);
    else {
      const option = chosenOption(choice, answers, scope, NONE);
      if (option.name !== NONE) writeEscaped(line.bytes(IS_SENT), option.name);
    }
    lines.push(line.bytes(CLOSE).written);
  }
}

function payloadIn(question: Span, name: Span, arena: Arena): Span {
  const value = member(question, name, arena);
  return value === NONE ? NONE : bytesOfStandard(textOf(value, arena), arena);
}

/** Whether the token says who asks. In a trusted header, nobody's claims say it. */
function isIdentified(identity: Identity, claims: Span, arena: Arena): bool {
  if (identity.kind !== IdentityKind.Jwt) return true;
  return hasText(identity.subject, claims, arena) && hasText(identity.issuer, claims, arena);
}

/** Whether a claim is a text that can name somebody. @param path filter, payload and claim, NUL between */
function hasText(path: Span, claims: Span, arena: Arena): bool {
  return isSubject(textAt(path, claims, arena));
}

/** The text of a claim; NONE where it is anything else, or no path. @param path the same */
function textAt(path: Span, claims: Span, arena: Arena): Span {
  if (path === NONE) return NONE;
  let from = limit(path);
  while (load<u8>(from - 1) !== 0) from--;
  const kind = fieldsIn(entryIn(claims, between(from, limit(path)), arena), arena);
  return kind.next() && kind.field === STRING && kind.type === LENGTH_DELIMITED ? kind.bytes : NONE;
}

function behindOf(question: Span, arena: Arena): Span {
  const value = member(question, VIRTUAL_SERVER, arena);
  const name: Span = value === NONE ? NONE : textOf(value, arena);
  const behind = newWriter(arena, 64);
  return length(name) === 0 ? behind.written : behind.bytes(SLASH_TEXT).bytes(name).written;
}

function refusal(reason: Reason, arena: Arena): Span {
  return newWriter(arena, 64).bytes(OPEN_REFUSAL).bytes(errorRow(reason).name).bytes(CLOSE).written;
}

/** Those that are asked about; where none are, those that the configuration names itself. Each once. */
function namesOf(gateway: Gateway, row: NounRow, asked: Span, scope: Scope, arena: Arena): List {
  let names = newList(arena);
  if (asked !== NONE && kindOf(asked) === Kind.Array) {
    for (const walk = walkThrough(asked, arena); walk.next();) {
      const name: Span = kindOf(walk.value) === Kind.String ? textOf(walk.value, arena) : NONE;
      if (name !== NONE) names.push(name);
    }
  } else {
    addConfigured(gateway, row, names, arena);
    if (row.noun === Noun.Tools) names = asShown(gateway, names, scope, arena);
  }
  const seen = newNameTable(arena);
  const once = newList(arena);
  for (let i = 0; i < names.count; i++) {
    if (seen.get(names.at(i)) !== 0) continue;
    seen.put(names.at(i), 1);
    once.push(names.at(i));
  }
  return once;
}

function addConfigured(gateway: Gateway, row: NounRow, names: List, arena: Arena): void {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    const rest = server.rest;
    const made = rest === null ? 0 : rest.countOf(row.noun);
    for (let m = 0; m < made; m++) names.push(prefixed(server, rest!.nameAt(row.noun, m), arena));
    const allow = server.rulesOf(row.noun).allow;
    if (allow === null || row.isUri) continue;
    for (let p = 0; p < allow.patterns.count; p++) {
      if (isExact(allow.patterns.at(p))) names.push(prefixed(server, allow.patterns.at(p), arena));
    }
  }
  for (let i = 0; i < gateway.virtualServers.count; i++)
    addExact(gateway.virtualServerAt(i).patternsOf(row.noun), names);
  const authorization = gateway.authorization;
  for (let i = 0; authorization !== null && i < authorization.rules.count; i++) {
    const targets = authorization.ruleAt(i).targets;
    if (targets !== null) addExact(targets.patternsOf(row.noun), names);
  }
}

/** The same tools by the names that clients see, and those that have one of their own. */
function asShown(gateway: Gateway, plainNames: List, scope: Scope, arena: Arena): List {
  const overrides = scope.overrides;
  if (overrides === null) return plainNames;
  const names = newList(arena);
  for (let i = 0; i < plainNames.count; i++) {
    const plainName: Span = plainNames.at(i);
    const server = serverOf(gateway, plainName);
    names.push(
      server === null
        ? plainName
        : overrides.shownName(server, after(plainName, length(server.prefix) as u32), plainName),
    );
  }
  for (let i = 0; i < overrides.list.count; i++) {
    names.push(changetype<Override>(overrides.list.at(i) as usize).name);
  }
  return names;
}

function addExact(patterns: List, names: List): void {
  for (let i = 0; i < patterns.count; i++) if (isExact(patterns.at(i))) names.push(patterns.at(i));
}

function prefixed(server: Server, name: Span, arena: Arena): Span {
  return newWriter(arena, 64).bytes(server.prefix).bytes(name).written;
}

function begin(row: NounRow, name: Span, arena: Arena): Writer {
  const line = newWriter(arena, 256).bytes(OPEN_NOUN).bytes(row.plural).bytes(NAME);
  writeEscaped(line, name);
  return line;
}

/** @param name as clients know it */
function decision(gateway: Gateway, row: NounRow, name: Span, scope: Scope, arena: Arena): Span {
  const line = begin(row, name, arena);
  const plainName = row.noun === Noun.Tools ? plainNameIn(scope, gateway, name) : name;
  if (plainName === NONE)
    return line.bytes(DECISION).bytes(HIDDEN).bytes(BY).bytes(hiderText(Hider.Override)).bytes(CLOSE).written;
  const server = row.isUri ? ownerOfUri(gateway, name) : serverOf(gateway, plainName);
  if (server === null)
    return line.bytes(DECISION).bytes(HIDDEN).bytes(BY).bytes(hiderText(Hider.Server)).bytes(CLOSE).written;
  const own = row.isUri ? withoutMark(server, name, arena) : after(plainName, length(server.prefix) as u32);
  if (row.noun !== Noun.Tools || !server.asksForFacts) return text(gateway, row, server, own, scope, NO_FACTS, line);
  return overAllFacts(gateway, row, name, server, own, scope, arena);
}

/** Decides by every definition that a tool may have: what all of them lead to is certain. */
function overAllFacts(
  gateway: Gateway,
  row: NounRow,
  name: Span,
  server: Server,
  own: Span,
  scope: Scope,
  arena: Arena,
): Span {
  let found = NONE;
  const pins = gateway.pins;
  const plainName = newWriter(arena, 64).bytes(server.prefix).bytes(own).written;
  const isPinned = pins !== null && pins.digestOf(plainName) !== 0;
  const vouched: u32 = server.isTrusted ? Fact.Trusted : 0;
  for (let hints: u32 = 0; hints <= 2 * Hint.Known - 1; hints++) {
    for (let same = 0; same < 2; same++) {
      const pinned: u32 = same === 0 ? Fact.Changed : Fact.Pinned | Fact.Trusted;
      const facts = Fact.Listed | hints | vouched | (isPinned ? pinned : 0);
      const line = text(gateway, row, server, own, scope, facts, begin(row, name, arena));
      if (found === NONE) found = line;
      else if (!equals(found, line)) return depends(row, name, arena);
    }
  }
  return found;
}

function depends(row: NounRow, name: Span, arena: Arena): Span {
  const line = begin(row, name, arena).bytes(DECISION).bytes(DEPENDS);
  return line.bytes(BY).bytes(hiderText(Hider.Unknown)).bytes(CLOSE).written;
}

function text(gateway: Gateway, row: NounRow, server: Server, own: Span, scope: Scope, facts: u32, line: Writer): Span {
  const hider = hiddenBy(gateway, row.noun, server, own, scope, facts);
  if (hider !== Hider.Nothing && hider !== Hider.Authorization) {
    return line.bytes(DECISION).bytes(HIDDEN).bytes(BY).bytes(hiderText(hider)).bytes(CLOSE).written;
  }
  const rule = ruleOn(gateway, row.noun, server, own, scope, facts);
  const steps = hider === Hider.Nothing && stepUpFor(gateway, row.noun, server, own, scope, facts) !== null;
  line.bytes(DECISION).bytes(hider !== Hider.Nothing ? HIDDEN : steps ? STEP_UP : ALLOWED);
  line.bytes(BY);
  if (rule !== null) writeRule(line.bytes(BY_RULE), rule);
  else line.bytes(scope.permissions === null ? BY_NOTHING : BY_DEFAULT);
  const asks = row.noun === FIRST_NOUN && hider === Hider.Nothing && asksForArguments(server, own, scope);
  return line.bytes(asks ? CLOSE_WITH_ARGUMENTS : CLOSE).written;
}

function writeRule(line: Writer, rule: AuthorizationRule): void {
  writeEscaped(line.bytes(RULE), rule.name);
  line.bytes(EFFECT).bytes(rule.effect === Effect.Deny ? DENY : rule.effect === Effect.StepUp ? STEP_UP : ALLOW);
  if (rule.effect === Effect.StepUp) line.bytes(SCOPES).bytes(rule.scopeText);
}

function withoutMark(server: Server, uri: Span, arena: Arena): Span {
  const at = markIn(server, uri);
  if (at < 0) return uri;
  const own = newWriter(arena, length(uri) as usize).bytes(between(pointer(uri), pointer(uri) + (at as usize)));
  return own.bytes(after(uri, (at + length(server.mark)) as u32)).written;
}
