import { newArena, scratch } from '../../../filter/bytes/arena';
import { newList, List } from '../../../filter/bytes/list';
import { newHeaderList } from '../../../filter/bytes/pairs';
import { Span, length, pointer, span, NONE } from '../../../filter/bytes/span';
import { namesIn } from '../../../filter/bytes/name-list';
import { Gateway } from '../../../filter/model/gateway';
import { parseGateway } from '../../../filter/config/parse';
import { shareReply, shareResponse } from '../../../filter/flow/cors';
import { enter } from '../../../filter/flow/dispatch';
import { newExchange, Outcome } from '../../../filter/flow/exchange';
import { readRequest } from '../../../filter/flow/request';
import { routerReply } from '../../../filter/flow/router-replies';
import { errorRow } from '../../../filter/mcp/errors';
import { isHostAllowed, needsReach, Reach, reachOf } from '../../../filter/policy/host';
import { isOriginAllowed } from '../../../filter/policy/origin';
import { identityOf } from '../../../filter/session/audience';
import { isSubject, subjectIn } from '../../../filter/session/identity';

const memoryOfConfiguration = newArena(4096);
let problems: List = newList(memoryOfConfiguration);
let gateway: Gateway = parseGateway(NONE, NONE, memoryOfConfiguration).gateway;

/** What the last call found: bytes, kept until the next. */
const memoryOfResult = newArena(4096);
let result: Span = NONE;

function give(bytes: Span): void {
  memoryOfResult.reset();
  result = memoryOfResult.copy(bytes);
  scratch.reset();
}

export function accessResult(): usize {
  return pointer(result);
}

export function accessResultLength(): i32 {
  return length(result);
}

/** @returns how many problems the configuration has */
export function accessConfigure(text: usize, count: u32): i32 {
  memoryOfConfiguration.reset();
  const parsed = parseGateway(memoryOfConfiguration.copy(span(text, count)), NONE, memoryOfConfiguration);
  gateway = parsed.gateway;
  problems = parsed.problems.lines;
  scratch.reset();
  return problems.count;
}

export function accessProblem(index: i32): void {
  give(problems.at(index));
}

/** @param hosts names, one space between @param address where the connection ended */
export function accessHostAllowed(
  hosts: usize,
  hostsLength: u32,
  authority: usize,
  authorityLength: u32,
  address: usize,
  addressLength: u32,
): bool {
  const named = namesIn(span(hosts, hostsLength), scratch);
  const asked = span(authority, authorityLength);
  // As the shell does it: the address is read only where it matters.
  const reach = needsReach(named, asked) ? reachOf(span(address, addressLength)) : Reach.Loopback;
  const allowed = isHostAllowed(named, asked, reach);
  scratch.reset();
  return allowed;
}

export function accessOriginAllowed(
  origins: usize,
  originsLength: u32,
  origin: usize,
  originLength: u32,
  authority: usize,
  authorityLength: u32,
): bool {
  const named = namesIn(span(origins, originsLength), scratch);
  const allowed = isOriginAllowed(named, span(origin, originLength), span(authority, authorityLength));
  scratch.reset();
  return allowed;
}

/**
 * A request by its headers, in the ABI's form.
 * @returns the status of the reply, 0 where it may go on; the result is the reply's headers, in the ABI's form
 */
export function accessEnter(headers: usize, count: u32, address: usize, addressLength: u32, identified: bool): u32 {
  const exchange = newExchange(gateway, readRequest(span(headers, count), scratch), scratch);
  if (needsReach(gateway.hosts, exchange.request.authority)) {
    exchange.caller.reach = reachOf(span(address, addressLength));
  }
  if (!identified) exchange.caller.identity = NONE;
  const outcome = enter(exchange, span(headers, 0), true);
  if (outcome !== Outcome.Reply) {
    give(NONE);
    return 0;
  }
  if (exchange.caller.page !== NONE) shareReply(exchange.plan.reply.headers, exchange.caller.page);
  const status = exchange.plan.reply.status;
  give(exchange.plan.reply.headers.packed());
  return status;
}

/** The edits of a response that passes, in the ABI's form; what is to be removed has an empty value. */
export function accessShareResponse(headers: usize, count: u32, page: usize, pageLength: u32): void {
  const edits = shareResponse(span(headers, count), pageLength === 0 ? NONE : span(page, pageLength), scratch);
  const all = newHeaderList(scratch);
  for (let i: u32 = 0; i < edits.count; i++) all.add(edits.nameAt(i), edits.valueAt(i));
  give(all.packed());
}

/** The reason that a reply of Envoy's becomes; empty where it is left as it is. */
export function accessRouterReply(details: usize, count: u32): void {
  const row = routerReply(span(details, count));
  give(row === null ? NONE : errorRow(row.reason).name);
}

export function accessIsSubject(text: usize, count: u32): bool {
  return isSubject(span(text, count));
}

export function accessSubjectIn(headers: usize, count: u32, name: usize, nameLength: u32): void {
  give(subjectIn(span(headers, count), span(name, nameLength), scratch));
}

export function accessBoundTo(issuer: usize, issuerLength: u32, subject: usize, subjectLength: u32): void {
  give(identityOf(span(issuer, issuerLength), span(subject, subjectLength), scratch));
}
