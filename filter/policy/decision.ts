import { scratch } from '../bytes/arena';
import { normalizedEscapes } from '../bytes/escapes';
import { Span, length, literal, NONE } from '../bytes/span';
import { Capability } from '../mcp/capabilities';
import { FIRST_NOUN, LAST_NOUN, Noun, NounRow, nounRow } from '../mcp/nouns';
import { isWeb } from '../mcp/resource-uri';
import { isSettled } from '../mcp/settled-uri';
import { expansions } from '../mcp/uri-template';
import { AuthorizationRule } from '../model/authorization';
import { Gateway } from '../model/gateway';
import { PinAction, Pins } from '../model/pins';
import { Server } from '../model/server';
import { NO_FACTS } from '../model/tool-facts';
import { VirtualServer } from '../model/virtual-server';
import { otherForm, ownerOfUri, shownUri } from '../model/uri-owner';
import { Access } from './permissions';
import { Scope } from './scope';

/**
 * Whether a tool, or another noun, exists for this request, by its upstream name. The one decision for both sides: a list shows what this
 * lets through, a call reaches what this lets through, so that what is listed can be called and nothing else can.
 *
 *     path ∩ header ∩ rules of the server ∩ allowed capabilities ∩ authorization ∩ pins ∩ the server's transport
 *
 * What needs more scopes than the token has (`stepUpFor`) exists, too; and so does a template where one of the URIs may
 * that it stands for.
 * @param facts of a tool whose server's `asksForFacts`, bits of Hint and Fact; of all else NO_FACTS
 */
export function mayUse(gateway: Gateway, noun: Noun, server: Server, name: Span, scope: Scope, facts: u32): bool {
  return hiddenBy(gateway, noun, server, name, scope, facts) === Hider.Nothing;
}

/** What keeps something from existing for a request. */
export const enum Hider {
  Nothing,
  /** Its server speaks HTTP+SSE and the request does not come over it, or the other way round. */
  Transport,
  /** It is no name that one of a server can have. */
  Name,
  /** `allow` and `deny` of its server. */
  ServerRules,
  /** A request for it goes to the server that owns its URI. */
  Owner,
  /** The virtual server of the path. */
  Path,
  /** The one of the header. */
  Header,
  /** The verified header does not list it. */
  AllowedCapabilities,
  Authorization,
  /** Nothing is known of the tool by which it could be decided on. */
  Unknown,
  /** The definition of the tool has changed, or is not pinned. */
  Pins,
  /** No server has such names. */
  Server,
  /** Its tool has another name. */
  Override,
  /** It is neither listed nor found by `search_tools`. */
  ToolSearch,
}

const BY_NAME = literal('name');
const BY_TRANSPORT = literal('transport');
const BY_SERVER_RULES = literal('server rules');
const BY_OWNER = literal('owner');
const BY_VIRTUAL_SERVER = literal('virtual server');
const BY_ALLOWED_CAPABILITIES = literal('allowed capabilities');
const BY_DEFINITION = literal('definition');
const BY_PINS = literal('pins');
const BY_SERVER = literal('server');
const BY_OVERRIDE = literal('override');
const BY_TOOL_SEARCH = literal('tool search');

/** For records and explanations; what authorization hides is told by its rule. */
export function hiderText(hider: Hider): Span {
  switch (hider) {
    case Hider.Transport:
      return BY_TRANSPORT;
    case Hider.ServerRules:
      return BY_SERVER_RULES;
    case Hider.Owner:
      return BY_OWNER;
    case Hider.Path:
    case Hider.Header:
      return BY_VIRTUAL_SERVER;
    case Hider.AllowedCapabilities:
      return BY_ALLOWED_CAPABILITIES;
    case Hider.Unknown:
      return BY_DEFINITION;
    case Hider.Pins:
      return BY_PINS;
    case Hider.Server:
      return BY_SERVER;
    case Hider.Override:
      return BY_OVERRIDE;
    case Hider.ToolSearch:
      return BY_TOOL_SEARCH;
    default:
      return BY_NAME;
  }
}

/** The same decision, with what it was made by. */
export function hiddenBy(gateway: Gateway, noun: Noun, server: Server, name: Span, scope: Scope, facts: u32): Hider {
  const row = nounRow(noun);
  if (length(name) === 0 || length(name) > row.longest) return Hider.Name;
  if (server.dialect.isOverHttpSse !== scope.overHttpSse) return Hider.Transport;
  if (row.ruledBy !== noun) return hiddenSome(gateway, row, server, name, scope);
  const rules = server.rulesOf(noun);
  if (row.isUri && !(scope.isWhole && rules.admitAll) && !isSettled(name)) return Hider.Name;
  const ruled = ruledName(row, name);
  if (!rules.admit(ruled)) return Hider.ServerRules;
  if (isOwnedByAnother(gateway, row, server, name)) return Hider.Owner;
  if (noun === Noun.Tools && scope.leavesOut(server.index, name)) return Hider.ToolSearch;
  const asksForFacts = noun === Noun.Tools && server.asksForFacts;
  if (asksForFacts && facts === NO_FACTS) return Hider.Unknown;
  if (scope.isWhole) return asksForFacts ? hiddenByPins(gateway.pins, facts) : Hider.Nothing;
  const shown = shownName(gateway, row, server, ruled);
  const other = otherName(gateway, row, server, ruled);
  if (!hasEither(scope.path, noun, server.index, shown, other)) return Hider.Path;
  if (!hasEither(scope.header, noun, server.index, shown, other)) return Hider.Header;
  const allowed = scope.allowed;
  if (allowed !== null && !allowed.has(noun, server.index, ruled)) return Hider.AllowedCapabilities;
  const permissions = scope.permissions;
  if (permissions !== null && permissions.accessTo(noun, server.index, shown, other, facts) === Access.Hidden)
    return Hider.Authorization;
  return asksForFacts ? hiddenByPins(gateway.pins, facts) : Hider.Nothing;
}

/** Last of all: who may not know of a tool is not told that it has changed. */
function hiddenByPins(pins: Pins | null, facts: u32): Hider {
  return pins !== null && pins.actionOn(facts) >= PinAction.Hide ? Hider.Pins : Hider.Nothing;
}

/** @param other see `otherName` */
function hasEither(names: VirtualServer | null, noun: Noun, server: i32, shown: Span, other: Span): bool {
  return names === null || names.has(noun, server, shown) || (other !== NONE && names.has(noun, server, other));
}

function mayHaveEither(names: VirtualServer | null, noun: Noun, server: i32, shown: Span, other: Span): bool {
  return names === null || names.mayHave(noun, server, shown) || (other !== NONE && names.mayHave(noun, server, other));
}

/** @param template or a URI, that a completion is asked for */
function hiddenSome(gateway: Gateway, row: NounRow, server: Server, template: Span, scope: Scope): Hider {
  const noun = row.ruledBy;
  const ruled = ruledName(row, template);
  const pattern = expansions(ruled, scratch);
  if (!server.rulesOf(noun).mayAdmit(pattern)) return Hider.ServerRules;
  if (areOwnedByAnother(gateway, server, template, expansions(template, scratch))) return Hider.Owner;
  if (scope.isWhole) return Hider.Nothing;
  const shown = shownName(gateway, row, server, ruled);
  const other = otherName(gateway, row, server, ruled);
  if (!mayHaveEither(scope.path, noun, server.index, shown, other)) return Hider.Path;
  if (!mayHaveEither(scope.header, noun, server.index, shown, other)) return Hider.Header;
  const allowed = scope.allowed;
  if (allowed !== null && !allowed.hasSome(noun, server.index, pattern)) return Hider.AllowedCapabilities;
  const permissions = scope.permissions;
  if (permissions === null) return Hider.Nothing;
  // Where each of its URIs has both forms, what denies one of them denies it.
  if (other !== NONE && isOwned(server, pattern)) {
    if (permissions.deniesEach(noun, server.index, shown) || permissions.deniesEach(noun, server.index, other))
      return Hider.Authorization;
  }
  if (permissions.mayShowSome(noun, server.index, shown)) return Hider.Nothing;
  return other !== NONE && permissions.mayShowSome(noun, server.index, other) ? Hider.Nothing : Hider.Authorization;
}

/** The rule by which something that exists for this request needs more scopes, or null where it may be used. */
export function stepUpFor(
  gateway: Gateway,
  noun: Noun,
  server: Server,
  name: Span,
  scope: Scope,
  facts: u32,
): AuthorizationRule | null {
  const permissions = scope.permissions;
  if (permissions === null) return null;
  const row = nounRow(noun);
  const ruled = ruledName(row, name);
  const shown = shownName(gateway, row, server, ruled);
  const other = otherName(gateway, row, server, ruled);
  if (row.ruledBy === noun) return permissions.stepUpOf(noun, server.index, shown, other, facts);
  const rule = permissions.stepUpOfEach(row.ruledBy, server.index, shown);
  if (rule !== null || other === NONE || !isOwned(server, expansions(ruled, scratch))) return rule;
  return permissions.stepUpOfEach(row.ruledBy, server.index, other);
}

/** Whether all URIs that a pattern matches are taken out of the mark. */
function isOwned(server: Server, pattern: Span): bool {
  const owned = server.ownedUris;
  return owned !== null && owned.covers(pattern);
}

/** The rule of authorization that decides on one that is named by itself; null: none does, or it is the default. */
export function ruleOn(
  gateway: Gateway,
  noun: Noun,
  server: Server,
  name: Span,
  scope: Scope,
  facts: u32,
): AuthorizationRule | null {
  const permissions = scope.permissions;
  const row = nounRow(noun);
  if (permissions === null || row.ruledBy !== noun) return null;
  const ruled = ruledName(row, name);
  const other = otherName(gateway, row, server, ruled);
  return permissions.ruleOn(noun, server.index, shownName(gateway, row, server, ruled), other, facts);
}

/** Whether a call of a tool that exists for this request hangs on its arguments. */
export function asksForArguments(server: Server, name: Span, scope: Scope): bool {
  const permissions = scope.permissions;
  return permissions !== null && permissions.asksForArguments(server.index, name);
}

/**
 * What patterns are written for: of a URI, the form in which who decodes its escapes reads the same as who does not. Its server
 * gets it as it is.
 */
function ruledName(row: NounRow, name: Span): Span {
  return row.isUri ? normalizedEscapes(name, scratch) : name;
}

/** What patterns of virtual servers and of authorization are held against: a name, a URI as clients see it, or a pattern. */
function shownName(gateway: Gateway, row: NounRow, server: Server, name: Span): Span {
  if (!row.isUri) return name;
  const shown = shownUri(gateway, server, name, scratch);
  return row.ruledBy === row.noun ? shown : expansions(shown, scratch);
}

/**
 * The other name that patterns are held against, or NONE. A URI that `ownedUris` takes out of the mark is reached with the
 * mark, too, since that is what a template of the server expands to: both are the same resource, so what allows one of them
 * allows it, and what denies one of them denies it.
 */
function otherName(gateway: Gateway, row: NounRow, server: Server, name: Span): Span {
  if (!row.isUri) return NONE;
  const isTemplate = row.ruledBy !== row.noun;
  const other = otherForm(gateway, server, name, isTemplate, scratch);
  return isTemplate && other !== NONE ? expansions(other, scratch) : other;
}

/** Whether a request for it would go elsewhere. So may a URI on the web alone: all others show their server. */
function isOwnedByAnother(gateway: Gateway, row: NounRow, server: Server, name: Span): bool {
  if (!row.isUri || gateway.hasOneServer || !isWeb(name)) return false;
  const owner = ownerOfUri(gateway, name);
  return owner !== null && owner !== server;
}

/** The same for all URIs that a template stands for. */
function areOwnedByAnother(gateway: Gateway, server: Server, template: Span, pattern: Span): bool {
  if (gateway.hasOneServer || !isWeb(template)) return false;
  for (let i = 0; i < gateway.servers.count; i++) {
    const owned = gateway.serverAt(i).ownedUris;
    if (i !== server.index && owned !== null && owned.covers(pattern)) return true;
  }
  return false;
}

/** Whether there may be one of this server that `mayUse` lets through. Where not, this request must not show it. */
export function mayList(noun: Noun, server: Server, scope: Scope): bool {
  if (server.dialect.isOverHttpSse !== scope.overHttpSse) return false;
  const ruling = nounRow(noun).ruledBy;
  const path = scope.path;
  if (path === null ? !server.rulesOf(ruling).showAny : !path.reaches(ruling, server.index)) return false;
  const header = scope.header;
  if (header !== null && !header.reaches(ruling, server.index)) return false;
  const allowed = scope.allowed;
  if (allowed !== null && !allowed.reaches(ruling, server.index)) return false;
  const permissions = scope.permissions;
  return permissions === null || permissions.mayShow(ruling, server.index);
}

/** The same of any noun: whether this request may know of the server. */
export function mayReach(server: Server, scope: Scope): bool {
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) if (mayList(noun, server, scope)) return true;
  return false;
}

/** The one MCP server that this request may know of; null where there are several, or none. A REST service has no stream. */
export function onlyReachable(gateway: Gateway, scope: Scope): Server | null {
  let found: Server | null = null;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!server.dialect.isMcp || !mayReach(server, scope)) continue;
    if (found !== null) return null;
    found = server;
  }
  return found;
}

/** Whether nothing that is configured says what of the only server may be used, by whom, how often, or to what end. */
export function decidesNothing(gateway: Gateway, server: Server, scope: Scope): bool {
  if (!scope.isWhole || scope.search !== null || scope.overrides !== null || gateway.pins !== null) return false;
  if (gateway.quotas !== null || server.results !== null || server.rulesOf(Noun.Tools).results !== null) return false;
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    if (!server.rulesOf(nounRow(noun).ruledBy).admitAll) return false;
  }
  return true;
}

/** What this request may know that the server offers, as far as it does: bits of Capability. */
export function mayOffer(server: Server, scope: Scope): u32 {
  let shown: u32 = 0;
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) {
    if (mayList(noun, server, scope)) shown |= nounRow(noun).capability | Capability.Logging;
  }
  if ((shown & (Capability.Prompts | Capability.Resources)) !== 0) shown |= Capability.Completions;
  if ((shown & Capability.Resources) !== 0) shown |= Capability.Subscribe;
  if ((shown & Capability.Tools) !== 0) shown |= Capability.Tasks;
  return shown;
}
