import { CLOSING_BRACE } from '../bytes/ascii';
import { scratch } from '../bytes/arena';
import { headerIn } from '../bytes/pairs';
import { Span, after, first, fingerprint, length, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { KEY_SIZE } from '../crypto/aead';
import { hmacSha256 } from '../crypto/sha256';
import { Exchange } from '../flow/exchange';
import { writeEscaped } from '../json/text';
import { errorRow, Reason } from '../mcp/errors';
import { methodLabel, methodLabelText } from '../mcp/method-label';
import { MethodKind, methodRow } from '../mcp/methods';
import { Ended, endedText, OK, reasonOf } from '../mcp/outcomes';
import { TRACEPARENT } from '../mcp/trace-context';
import { Shape } from '../mcp/shape';
import { Audit, AuditSubject } from '../model/audit';
import { Limit } from '../model/limit';
import { Hider, hiderText } from '../policy/decision';
import { formatted } from '../template/dates';
import { now } from './clock';
import { Level, log } from './log';
import { writeLogText } from './log-text';
import { AuditResult, countAudit } from './metrics';
import { property } from './properties';

/**
 * The record of who called what, what was decided and how it ended: a line of JSON for each request, written by the module
 * itself, so that it is there where nobody can change the access log. It has a limit of its own, and neither a text of a
 * client's nor one of a server's can end a line, or begin one.
 */
const MINUTE: u64 = 60_000_000_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/** Bytes of a line: names and arguments are limited, and may double when they are escaped. */
const MOST_LINE = 64 << 10;

const PREFIX = literal('audit ');
const FULL = literal(
  'audit: more lines than audit.linesPerMinute allows; the further ones of this minute are left out, and counted',
);
const RFC3339 = literal('2006-01-02T15:04:05.000Z07:00');
const UTC = literal('UTC');
const TIME = literal('{"time":"');
const METHOD = literal('","method":"');
const SUBJECT = literal('","subject":"');
const ISSUER = literal('","issuer":"');
const SESSION = literal('","session":"');
const VIRTUAL_SERVER = literal('","virtualServer":"');
const SERVER = literal('","server":"');
const NAME = literal('","name":"');
const DECISION = literal('","decision":"');
const BY = literal('","by":"');
const RULE = literal('","rule":"');
const OUTCOME = literal('","outcome":"');
const TRACE = literal('","trace":"');
const REQUEST_ID = literal('","requestId":"');
const ARGUMENTS = literal('","arguments":"');
const DURATION = literal('","ms":');
const REQUEST_BYTES = literal(',"requestBytes":');
const RESPONSE_BYTES = literal(',"responseBytes":');
const ALLOW = literal('allow');
const DENY = literal('deny');
const STEP_UP = literal('stepUp');
const UNDECIDED = literal('none');
const BY_RULE = literal('rule');
const BY_DEFAULT = literal('default');
const BY_LIST = literal('list');
const BY_QUOTA = literal('quota');
const X_REQUEST_ID = literal('x-request-id');
const PURPOSE = literal('sluice audit');
const REQUEST_SIZE = literal('request\0size');
const RESPONSE_SIZE = literal('response\0size');

let minute: u64 = 0;
let lines: u32 = 0;

/** The stream has ended. */
export function auditRequest(exchange: Exchange, audit: Audit): void {
  if (exchange.isAudited || isSilent(exchange, exchange.ended)) return;
  write(exchange, audit, exchange.ended, sizeIn(REQUEST_SIZE), sizeIn(RESPONSE_SIZE));
}

/** A message of a batch has its answer. */
export function auditMessage(exchange: Exchange, audit: Audit, ended: Ended): void {
  // The batch itself is no message.
  exchange.isAudited = true;
  if (isSilent(exchange, ended)) return;
  write(exchange, audit, ended, exchange.message.size as u64, length(exchange.plan.reply.body) as u64);
}

/** What asks for nothing, and went well. */
function isSilent(exchange: Exchange, ended: Ended): bool {
  if (ended !== OK) return false;
  const shape = exchange.message.envelope.shape;
  return (
    shape === Shape.Notification ||
    shape === Shape.Response ||
    methodRow(exchange.message.method).kind === MethodKind.Local
  );
}

function write(exchange: Exchange, audit: Audit, ended: Ended, received: u64, sent: u64): void {
  const at = now();
  if (!mayWrite(exchange, audit, at)) return;
  const text = newWriter(scratch, 1024);
  const began = exchange.beganAt;
  text.bytes(TIME).bytes(timeText(began));
  text.bytes(METHOD).bytes(methodLabelText(methodLabel(exchange.message.method, exchange.request.method)));
  writeSubject(text, exchange, audit.subject);
  if (exchange.caller.sessionTag !== 0) text.bytes(SESSION).hex(exchange.caller.sessionTag);
  if (exchange.caller.scoped !== NONE) text.bytes(VIRTUAL_SERVER).bytes(exchange.caller.scoped);
  const server = exchange.server;
  if (server !== null) text.bytes(SERVER).bytes(server.name);
  if (exchange.name !== NONE) writeEscaped(text.bytes(NAME), exchange.name);
  writeDecision(text, exchange, ended);
  text.bytes(OUTCOME).bytes(endedText(ended));
  writeTrace(text, exchange);
  if (exchange.auditedArguments !== NONE) writeEscaped(text.bytes(ARGUMENTS), exchange.auditedArguments);
  text.bytes(DURATION).decimal((at - min(began, at)) / MILLISECOND);
  text.bytes(REQUEST_BYTES).decimal(received).bytes(RESPONSE_BYTES).decimal(sent).byte(CLOSING_BRACE);
  const line = newWriter(scratch, (text.size as usize) + 16).bytes(PREFIX);
  writeLogText(line, text.written, MOST_LINE);
  log(audit.level, line.written);
}

/** Says so itself where it begins to be no. A clock that is set back begins another minute. */
function mayWrite(exchange: Exchange, audit: Audit, at: u64): bool {
  if (minute !== at / MINUTE) {
    minute = at / MINUTE;
    lines = 0;
  }
  const label = exchange.gateway.label;
  if (lines < audit.linesPerMinute) {
    lines++;
    countAudit(label, AuditResult.Written);
    return true;
  }
  if (lines++ === audit.linesPerMinute) {
    exchange.meet(Limit.AuditLines);
    log(Level.Warn, FULL);
  }
  countAudit(label, AuditResult.Dropped);
  return false;
}

function timeText(at: u64): Span {
  return formatted((at / SECOND) as i64, (at % SECOND) as u32, RFC3339, UTC, scratch);
}

/** The identity has issuer and subject, each behind its length (session/audience.ts). */
function writeSubject(text: Writer, exchange: Exchange, by: AuditSubject): void {
  const identity = exchange.caller.identity;
  if (by === AuditSubject.None || length(identity) === 0) return;
  if (by === AuditSubject.Hash) {
    const message = newWriter(scratch, 256).bytes(PURPOSE).bytes(identity).written;
    const hash = hmacSha256(span(exchange.gateway.keys.sealing.bytes, KEY_SIZE), message, scratch);
    text.bytes(SUBJECT).hex(fingerprint(hash));
    return;
  }
  const issuerSize = load<u32>(pointer(identity));
  const issuer = first(after(identity, 4), issuerSize);
  writeEscaped(text.bytes(SUBJECT), after(identity, issuerSize + 8));
  if (issuerSize > 0) writeEscaped(text.bytes(ISSUER), issuer);
}

function writeDecision(text: Writer, exchange: Exchange, ended: Ended): void {
  const reason = reasonOf(ended);
  const isNamed = exchange.name !== NONE;
  const stepped = reason === Reason.Forbidden;
  const denied = !stepped && isDenial(reason);
  const allowed = !stepped && !denied && (ended === OK || exchange.isAimed || exchange.server !== null);
  text.bytes(DECISION).bytes(stepped ? STEP_UP : denied ? DENY : allowed ? ALLOW : UNDECIDED);
  if (!isNamed || (!stepped && !denied && !allowed)) return;
  const hider = exchange.hider;
  const rule = exchange.rule;
  if (reason === Reason.QuotaExceeded || reason === Reason.TooManyCalls) text.bytes(BY).bytes(BY_QUOTA);
  else if (hider !== Hider.Nothing && hider !== Hider.Authorization) text.bytes(BY).bytes(hiderText(hider));
  else if (denied && hider === Hider.Nothing && reason !== Reason.ForbiddenArguments && reason !== Reason.ParseError) {
    text.bytes(BY).bytes(BY_LIST);
  } else if (rule !== null) writeEscaped(text.bytes(BY).bytes(BY_RULE).bytes(RULE), rule.name);
  else if (exchange.gateway.authorization !== null) text.bytes(BY).bytes(BY_DEFAULT);
}

/** Whether a policy says no: not a server, a limit or what is no message. */
function isDenial(reason: Reason): bool {
  return reason !== Reason.None && errorRow(reason).isDenial;
}

/** W3C Trace Context, §3.2.2: version, trace id, parent id, flags. */
function writeTrace(text: Writer, exchange: Exchange): void {
  const parent = headerIn(exchange.request.pairs, TRACEPARENT, scratch);
  if (length(parent) >= 55) writeEscaped(text.bytes(TRACE), first(after(parent, 3), 32));
  const id = headerIn(exchange.request.pairs, X_REQUEST_ID, scratch);
  if (id !== NONE && length(id) <= 128) writeEscaped(text.bytes(REQUEST_ID), id);
}

/** An integer of the host's. */
function sizeIn(path: Span): u64 {
  const value = property(path);
  return length(value) === 8 ? load<u64>(pointer(value)) : 0;
}
