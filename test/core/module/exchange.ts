import { Noun, nounRow } from '../../../filter/mcp/nouns';
import { make, newArena } from '../../../filter/bytes/arena';
import { HeaderList, newHeaderList } from '../../../filter/bytes/pairs';
import { equals, literal, Span, span, NONE } from '../../../filter/bytes/span';
import { Gateway } from '../../../filter/model/gateway';
import { parseGateway } from '../../../filter/config/parse';
import { admit, enter, serve } from '../../../filter/flow/dispatch';
import { Exchange, newExchange, Outcome } from '../../../filter/flow/exchange';
import { readRequest } from '../../../filter/flow/request';
import { LATEST } from '../../../filter/mcp/revisions';
import * as header from '../../../filter/mcp/headers';
import { BAGGAGE, TRACEPARENT, TRACESTATE } from '../../../filter/mcp/trace-context';
import { KEY_SIZE } from '../../../filter/crypto/aead';
import { audienceOf, NOBODY } from '../../../filter/session/audience';
import { Key } from '../../../filter/model/keyring';
import { ENTROPY_SIZE, newSessionDraft, Upstream } from '../../../filter/session/token';

const NOW: u32 = 1_000_000_000;
const LOCALHOST = literal('localhost');
const gatewayMemory = newArena(16384);
const memoryOfExchange = newArena(16384);

let gateway: Gateway = parseGateway(NONE, NONE, gatewayMemory).gateway;
let token: Span = NONE;
let exchange: Exchange = newExchange(gateway, readRequest(NONE, memoryOfExchange), memoryOfExchange);

/** A gateway with this configuration, and a session with all of its servers. False: the configuration was refused. */
export function exchangeConfigure(text: usize, count: u32): bool {
  gatewayMemory.reset();
  const parsed = parseGateway(gatewayMemory.copy(span(text, count)), NONE, gatewayMemory);
  gateway = parsed.gateway;
  if (parsed.problems.lines.count > 0) return false;

  const key = make<Key>(gatewayMemory);
  key.bytes = gatewayMemory.zeroed(KEY_SIZE as usize);
  gateway.keys.keys.push(changetype<usize>(key) as u64);
  const draft = newSessionDraft(LATEST, gatewayMemory);
  for (let i = 0; i < gateway.servers.count; i++) {
    const upstream = make<Upstream>(gatewayMemory);
    upstream.fingerprint = gateway.serverAt(i).fingerprint;
    upstream.revision = LATEST;
    upstream.offers = nounRow(Noun.Tools).capability;
    draft.add(upstream);
  }
  const entropy = span(gatewayMemory.zeroed(ENTROPY_SIZE), ENTROPY_SIZE as u32);
  token = draft.sealed(
    key,
    entropy,
    NOW,
    3600,
    audienceOf(gateway.name, gateway.endpoint, NONE, NOBODY, gatewayMemory),
    gatewayMemory,
  );
  return true;
}

/** Begins a POST in that session. */
export function exchangeOpen(): void {
  opened(sessionHeaders().add(header.CONTENT_LENGTH, header.POST));
  enter(exchange, NONE, true);
}

/** The same of one that says its trace in headers; a text that is empty is that of no header. */
export function exchangeOpenTraced(
  parent: usize,
  parentSize: u32,
  state: usize,
  stateSize: u32,
  baggage: usize,
  baggageSize: u32,
): void {
  const headers = sessionHeaders().add(header.CONTENT_LENGTH, header.POST);
  if (parentSize > 0) headers.add(TRACEPARENT, span(parent, parentSize));
  if (stateSize > 0) headers.add(TRACESTATE, span(state, stateSize));
  if (baggageSize > 0) headers.add(BAGGAGE, span(baggage, baggageSize));
  opened(headers);
  enter(exchange, NONE, true);
}

/** The headers of a POST in the session; empties the memory of exchanges. */
export function sessionHeaders(): HeaderList {
  return postHeaders().add(header.SESSION_ID, token);
}

/** The headers of a POST without a session; empties the memory of exchanges. */
export function postHeaders(): HeaderList {
  memoryOfExchange.reset();
  return newHeaderList(memoryOfExchange)
    .add(header.METHOD, header.POST)
    .add(header.PATH, gateway.endpoint)
    .add(header.AUTHORITY, LOCALHOST);
}

/** A request of this gateway's that has come as far as its headers. */
export function opened(headers: HeaderList): Exchange {
  exchange = newExchange(gateway, readRequest(headers.packed(), memoryOfExchange), memoryOfExchange);
  exchange.now = (NOW as u64) * 1_000_000_000;
  return exchange;
}

export function exchangeRead(chunk: usize, count: u32): void {
  exchange.message.envelope.read(span(chunk, count));
}

/** @param body all of what was read, in one piece */
export function exchangeDecide(body: usize, count: u32): Outcome {
  exchange.message.body = span(body, count);
  const outcome = admit(exchange);
  return outcome === Outcome.Serve ? serve(exchange) : outcome;
}

export function exchangeServer(): i32 {
  return exchange.target.server.index;
}

/** What takes the place of the client's body, or NONE. */
export function exchangeMade(): Span {
  return exchange.target.body;
}

export function exchangeCutFrom(): u32 {
  return exchange.target.cutFrom;
}

export function exchangeCutTo(): u32 {
  return exchange.target.cutTo;
}

/** The value of a header that is set on the way to the server. */
export function exchangeHeader(name: usize, count: u32): Span {
  const headers = exchange.plan.forward.headers;
  for (let i: u32 = 0; i < headers.count; i++) {
    if (equals(headers.nameAt(i), span(name, count))) return headers.valueAt(i);
  }
  return NONE;
}

export function exchangeReplyStatus(): u32 {
  return exchange.plan.reply.status;
}

export function exchangeReplyBody(): Span {
  return exchange.plan.reply.body;
}
