import { scratch } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { FanOut } from '../federation/fanout';
import { UpstreamCall } from '../upstream/call';
import { Item, Page } from '../upstream/page';
import { textOf } from '../json/text';
import { unmatchedLines } from '../policy/unmatched';
import { Noun } from '../mcp/nouns';
import { Override } from '../model/overrides';
import { VirtualServer } from '../model/virtual-server';
import { serverOf } from './call';
import { Exchange } from './exchange';

const EMPTY = literal('');
const VIRTUAL_SERVER = literal('virtual server ');
const SERVER = literal('server ');
const ALLOW = literal('.allow');
const DENY = literal('.deny');
const SEPARATOR = literal(': ');
const OVERRIDES = literal('overrides');

/**
 * Holds the names in a server's rules, in overrides and in a virtual server against what there is, the first time that a list of it is
 * complete: a name that matches nothing is a slip of the pen which nobody else would notice, since what is missing looks like what is hidden.
 * Once for each worker and configuration; what goes missing later is not the configuration's fault.
 */
export function audit(exchange: Exchange, fanOut: FanOut): void {
  // Resources need not be listed.
  if (exchange.noun.isUri) return;
  for (let i = 0; i < fanOut.calls.count; i++) auditRules(exchange, fanOut.at(i));
  if (exchange.noun.noun === Noun.Tools) auditOverrides(exchange, fanOut);
  auditOne(exchange, fanOut, exchange.caller.scope.path);
  auditOne(exchange, fanOut, exchange.caller.scope.header);
}

/** @param call of a server; its rules are for the server's own names */
function auditRules(exchange: Exchange, call: UpstreamCall): void {
  const rules = call.server.rulesOf(call.noun.noun);
  if (rules.audited || call.failed) return;
  rules.audited = true;
  const allow = rules.allow;
  if (allow === null && rules.deny.patterns.count === 0) return;
  const names = newList(scratch);
  addNames(call, EMPTY, names);
  if (allow !== null) warnOf(exchange, ruleOf(call, ALLOW), allow.patterns, names);
  warnOf(exchange, ruleOf(call, DENY), rules.deny.patterns, names);
}

/** `server weather: tools.allow` */
function ruleOf(call: UpstreamCall, member: Span): Span {
  const line = newWriter(scratch, 128).bytes(SERVER).bytes(call.server.name).bytes(SEPARATOR);
  return line.bytes(call.noun.plural).bytes(member).written;
}

function warnOf(exchange: Exchange, subject: Span, patterns: List, names: List): void {
  const lines = newList(scratch);
  unmatchedLines(subject, exchange.noun.singular, patterns, names, lines, exchange.arena);
  for (let i = 0; i < lines.count; i++) exchange.plan.warn(lines.at(i), null);
}

function auditOverrides(exchange: Exchange, fanOut: FanOut): void {
  const overrides = exchange.caller.scope.overrides;
  if (overrides === null) return;
  const patterns = newList(scratch);
  for (let i = 0; i < overrides.list.count; i++) {
    const entry = changetype<Override>(overrides.list.at(i) as usize);
    if (entry.audited) continue;
    const server = serverOf(exchange.gateway, entry.plainName);
    if (server === null) continue;
    const call = callOf(fanOut, server.index);
    if (call === null || call.failed) continue;
    entry.audited = true;
    patterns.push(entry.plainName);
  }
  if (patterns.count > 0) warnOf(exchange, OVERRIDES, patterns, namesIn(fanOut));
}

function auditOne(exchange: Exchange, fanOut: FanOut, subject: VirtualServer | null): void {
  const noun = exchange.noun;
  if (subject === null || (subject.audited & noun.capability) !== 0 || !isComplete(exchange, fanOut, subject)) return;
  subject.audited |= noun.capability;
  const line = newWriter(scratch, 128).bytes(VIRTUAL_SERVER).bytes(subject.name).written;
  warnOf(exchange, line, subject.patternsOf(noun.noun), namesIn(fanOut));
}

/** Whether every server that it reaches has said what it has: nothing may be called missing before. */
function isComplete(exchange: Exchange, fanOut: FanOut, subject: VirtualServer): bool {
  const gateway = exchange.gateway;
  for (let i = 0; i < gateway.servers.count; i++) {
    if (!subject.reaches(exchange.noun.noun, i)) continue;
    const call = callOf(fanOut, i);
    if (call !== null ? call.failed : !hasNone(exchange, gateway.serverAt(i).fingerprint)) return false;
  }
  return true;
}

function callOf(fanOut: FanOut, server: i32): UpstreamCall | null {
  for (let i = 0; i < fanOut.calls.count; i++) if (fanOut.at(i).server.index === server) return fanOut.at(i);
  return null;
}

/** It took part in the session and said that it has none, so it was not asked. */
function hasNone(exchange: Exchange, fingerprint: u64): bool {
  const upstream = exchange.caller.session!.upstream(fingerprint, scratch);
  return upstream !== null && (upstream.offers & exchange.noun.capability) === 0;
}

/** The names of all that were listed, as this gateway would call them: also of those that are hidden here. */
function namesIn(fanOut: FanOut): List {
  const names = newList(scratch);
  for (let i = 0; i < fanOut.calls.count; i++) addNames(fanOut.at(i), fanOut.at(i).server.prefix, names);
  return names;
}

function addNames(call: UpstreamCall, prefix: Span, names: List): void {
  for (let p = 0; p < call.pages.count; p++) {
    const page = changetype<Page>(call.pages.at(p) as usize);
    for (let t = 0; t < page.items.count; t++) {
      const name: Span = textOf(changetype<Item>(page.items.at(t) as usize).name, scratch);
      if (name !== NONE) names.push(newWriter(scratch, 64).bytes(prefix).bytes(name).written);
    }
  }
}
