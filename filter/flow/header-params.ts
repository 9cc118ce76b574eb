import { scratch } from '../bytes/arena';
import { HeaderList, newHeaderList } from '../bytes/pairs';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { FanOut, newFanOut } from '../federation/fanout';
import { declaredIn, keptDeclarations, readDeclarations } from '../federation/header-params';
import { Kind, kindOf, member } from '../json/reader';
import { textOf } from '../json/text';
import { Era } from '../mcp/eras';
import { Reason } from '../mcp/errors';
import { headerText } from '../mcp/header-text';
import { Method } from '../mcp/methods';
import { Noun, nounRow } from '../mcp/nouns';
import { Upstream } from '../session/token';
import { UpstreamCall } from '../upstream/call';
import { askForList, whenAnswered } from './asking';
import { waitFor } from './aim';
import { Stage } from './conversation';
import { knownUpstream } from './dialect';
import { Exchange, Outcome } from './exchange';
import { sendOn } from './send-on';

/**
 * Arguments that are repeated in headers (MCP 2026-07-28, `Mcp-Param-*`): a client with a session does not do that, and a
 * server without sessions refuses a call that lacks them. Which they are, the list of the server's tools says; where none
 * has come a moment ago, the server is asked for it first.
 */
const ARGUMENTS = literal('arguments');
const PREFIX = literal('mcp-param-');
const TRUE = literal('true');
const FALSE = literal('false');
/** Bytes of a value, as it stands in the header: all headers of a request have to fit into 8 KiB at some servers. */
const MOST_OF_VALUE: i32 = 4096;
const TOO_LONG = literal(' has more than 4096 bytes as a header, in which the server of this tool wants it repeated');

/** Whether the call is one that lacks them. */
export function lacksHeaderParams(exchange: Exchange, upstream: Upstream): bool {
  if (exchange.message.era !== Era.Sessions || exchange.message.method !== Method.ToolsCall) return false;
  return exchange.target.tool === null && !upstream.dialect.hasSessions;
}

/** Sends such a call on with them. */
export function sendWithHeaderParams(exchange: Exchange, upstream: Upstream): Outcome {
  const target = exchange.target;
  const client = exchange.request.pairs;
  const keys = exchange.gateway.keys;
  const declarations = keptDeclarations(target.server, target.name, client, exchange.seconds, keys, scratch);
  if (declarations !== NONE) return sendDeclared(exchange, upstream, declarations);
  const fanOut = newFanOut(1, exchange.gateway.limits.listTimeout, exchange.arena);
  askForList(exchange, exchange.caller.session!, fanOut, target.server, nounRow(Noun.Tools));
  return waitFor(exchange, whenAnswered(exchange, fanOut, Stage.Ask, sendListed));
}

/** Without a list nobody knows of any. */
function sendListed(exchange: Exchange, fanOut: FanOut): Outcome {
  const upstream = knownUpstream(exchange, exchange.caller.session!, exchange.target.server);
  const call: UpstreamCall | null = fanOut.calls.count === 0 ? null : fanOut.at(0);
  if (upstream === null) {
    return call === null ? exchange.refuse(Reason.UpstreamUnreachable) : exchange.refuseFor(call);
  }
  if (call === null || call.failed) return sendOn(exchange, upstream);
  const client = exchange.request.pairs;
  const keys = exchange.gateway.keys;
  const declarations = declaredIn(call, exchange.target.name, client, exchange.seconds, keys, scratch);
  return sendDeclared(exchange, upstream, declarations);
}

function sendDeclared(exchange: Exchange, upstream: Upstream, declarations: Span): Outcome {
  if (length(declarations) > 0 && !addParams(exchange, declarations)) return Outcome.Reply;
  return sendOn(exchange, upstream);
}

/** False: one of them is too long, and `plan.reply` says so. */
function addParams(exchange: Exchange, declarations: Span): bool {
  const message = exchange.message;
  const args = member(message.envelope.text(message.body, message.envelope.params), ARGUMENTS, scratch);
  const headers: HeaderList = newHeaderList(exchange.arena);
  for (const declared = readDeclarations(declarations, scratch); declared.next();) {
    let value = args;
    let step = NONE;
    for (let i: u32 = 0; i < declared.depth; i++) {
      step = declared.step();
      value = value === NONE || kindOf(value) !== Kind.Object ? NONE : member(value, step, scratch);
    }
    const text = textOfValue(value);
    if (text === NONE) continue;
    const header = headerText(text, exchange.arena);
    if (length(header) > MOST_OF_VALUE) {
      exchange.refuse(Reason.InvalidArguments, newWriter(scratch, 256).bytes(step).bytes(TOO_LONG).written);
      return false;
    }
    const name = newWriter(exchange.arena, (length(PREFIX) + length(declared.name)) as usize);
    headers.add(name.bytes(PREFIX).bytes(declared.name).written, exchange.arena.copy(header));
  }
  exchange.target.headerParams = headers;
  return true;
}

/** As it stands in the header; NONE: it is absent, null, or none that is repeated. */
function textOfValue(value: Span): Span {
  if (value === NONE) return NONE;
  switch (kindOf(value)) {
    case Kind.String:
      return textOf(value, scratch);
    case Kind.Number:
      return value;
    case Kind.True:
      return TRUE;
    case Kind.False:
      return FALSE;
    default:
      return NONE;
  }
}
