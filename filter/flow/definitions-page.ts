import { CLOSING_BRACE, COMMA } from '../bytes/ascii';
import { make, scratch } from '../bytes/arena';
import { hasRoom } from '../bytes/room';
import { Span, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { FanOut, newFanOut } from '../federation/fanout';
import { textOf, writeEscaped } from '../json/text';
import { Era } from '../mcp/eras';
import { errorRow } from '../mcp/errors';
import { Method } from '../mcp/methods';
import { Noun, nounRow } from '../mcp/nouns';
import { CredentialKind } from '../model/credentials';
import { Lists } from '../model/dialects';
import { FactReader, newFactReader } from '../policy/tool-facts';
import { Scope } from '../policy/scope';
import { requestSession } from '../session/request-session';
import { UpstreamCall } from '../upstream/call';
import { Item, Page } from '../upstream/page';
import { askForList, whenAnswered } from './asking';
import { Stage } from './conversation';
import { chooseCredentials } from './credentials';
import { Exchange, Outcome } from './exchange';
import { WORKER_MEMORY } from './limits';
import { writeDigest } from './pins';

/**
 * What `sluice lock` pins: the definitions of the tools of all servers as they are now, whoever may use them, each with its
 * digest.
 *
 *     { tools: [{ server, name, digest, definition }], left: [{ server, reason, detail }] }
 *
 * @param isPrivate the Authorization header of the request is for the gateway itself: no server may see it, so those that
 * take the credentials of the caller are left out
 */
export function beginDefinitions(exchange: Exchange, isPrivate: bool): Outcome {
  const gateway = exchange.gateway;
  exchange.message.whole = true;
  exchange.message.era = Era.Stateless;
  exchange.message.method = Method.ToolsList;
  exchange.caller.scope = make<Scope>(exchange.arena);
  chooseCredentials(exchange);
  const session = requestSession(gateway.keys.sealing, exchange.seconds, exchange.arena);
  exchange.caller.session = session;
  const fanOut = newFanOut(gateway.limits.fanOut, gateway.limits.listTimeout, exchange.arena);
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    const kind = server.credentials.kind;
    const takesOurs = (isPrivate && kind === CredentialKind.Passthrough) || kind === CredentialKind.Exchange;
    if (server.dialect.lists !== Lists.Unheard && !takesOurs)
      askForList(exchange, session, fanOut, server, nounRow(Noun.Tools));
  }
  return whenAnswered(exchange, fanOut, Stage.Ask, finish);
}

const TOOLS = literal('{"tools":[');
const LEFT = literal('],"left":[');
const CLOSE = literal(']}');
const SERVER = literal('{"server":"');
const NAME = literal('","name":"');
const DIGEST = literal('","digest":"');
const DEFINITION = literal('","definition":');
const REASON = literal('","reason":"');
const DETAIL = literal('","detail":"');
const CLOSE_LEFT = literal('"}');
const LEFT_ALONE = literal('left_alone');
const WHY_LEFT_ALONE = literal(
  'it could not be reached a moment ago, takes the credentials of each caller, or speaks HTTP+SSE',
);

function finish(exchange: Exchange, fanOut: FanOut): Outcome {
  let size: u64 = 0;
  for (let i = 0; i < fanOut.calls.count; i++) size += fanOut.at(i).bytes;
  if (!hasRoom(3 * size)) return exchange.overload(WORKER_MEMORY);
  const reader = newFactReader(exchange.gateway.pins, scratch);
  const text = newWriter(exchange.arena, (size as usize) + 1024).bytes(TOOLS);
  let count = 0;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    for (let p = 0; p < call.pages.count && !call.failed; p++) {
      const items = changetype<Page>(call.pages.at(p) as usize).items;
      for (let t = 0; t < items.count; t++) {
        const item = changetype<Item>(items.at(t) as usize);
        const name = textOf(item.name, scratch);
        if (name === NONE) continue;
        if (count++ > 0) text.byte(COMMA);
        writeTool(text, call, item, name, reader);
      }
    }
  }
  writeLeft(text.bytes(LEFT), exchange, fanOut);
  return exchange.answer(200, text.bytes(CLOSE).written);
}

/** @param name its own */
function writeTool(text: Writer, call: UpstreamCall, item: Item, name: Span, reader: FactReader): void {
  text.bytes(SERVER).bytes(call.server.name).bytes(NAME).bytes(call.server.prefix);
  writeEscaped(text, name);
  writeDigest(text.bytes(DIGEST), reader, item).bytes(DEFINITION).bytes(item.object).byte(CLOSING_BRACE);
}

/** The servers whose tools are not there. */
function writeLeft(text: Writer, exchange: Exchange, fanOut: FanOut): void {
  let count = 0;
  for (let i = 0; i < exchange.gateway.servers.count; i++) {
    const server = exchange.gateway.serverAt(i);
    const call = callOf(fanOut, i);
    if (call !== null && !call.failed) continue;
    if (count++ > 0) text.byte(COMMA);
    text.bytes(SERVER).bytes(server.name).bytes(REASON);
    text.bytes(call === null ? LEFT_ALONE : errorRow(call.failure.reason).name).bytes(DETAIL);
    const detail: Span = call === null ? WHY_LEFT_ALONE : call.failure.detail;
    if (detail !== NONE) writeEscaped(text, detail);
    text.bytes(CLOSE_LEFT);
  }
}

function callOf(fanOut: FanOut, server: i32): UpstreamCall | null {
  for (let i = 0; i < fanOut.calls.count; i++) if (fanOut.at(i).server.index === server) return fanOut.at(i);
  return null;
}
