import { Arena, make } from '../bytes/arena';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { doubleOf } from '../json/numbers';
import { Kind, kindOf, member } from '../json/reader';
import { textOf } from '../json/text';
import { Method, methodText } from '../mcp/methods';
import { OUR_INFO } from '../version';
import { requestMeta } from './stateless-message';

/** What a server says of a task, and what it is asked about one (the extension for tasks of MCP 2026-07-28, SEP-2663). */

const TASK_ID = literal('taskId');
const STATUS = literal('status');
const POLL_INTERVAL = literal('pollIntervalMs');
const TTL = literal('ttlMs');

const WORKING = literal('working');
const INPUT_REQUIRED = literal('input_required');
const COMPLETED = literal('completed');
const FAILED = literal('failed');
const CANCELLED = literal('cancelled');

/** What a client says of itself that can deal with tasks, and with nothing else. */
export const TASK_CAPABILITIES = literal('{"extensions":{"io.modelcontextprotocol/tasks":{}}}');

/** Bytes of an id that is sent back in a header. */
const MOST_OF_ID = 4096;

/** Milliseconds: how often a server is asked that does not say it, at most, and at least. */
const USUAL_INTERVAL: u32 = 1000;
const LEAST_INTERVAL: u32 = 200;
const MOST_INTERVAL: u32 = 30_000;

export const enum TaskStatus {
  /** None that there is. */
  Unknown,
  Working,
  InputRequired,
  Completed,
  Failed,
  Cancelled,
}

/** The spans are those of the answer that says it. */
@unmanaged
export class TaskState {
  /** Its id, unescaped; NONE: it has none that could be sent back. */
  id: Span;
  status: TaskStatus;
  /** Milliseconds until it is asked for again. */
  interval: u32;
  /** Milliseconds that it lives from its beginning on; -1: without end, or it does not say. */
  ttl: i64;
}

/** @param result a value that says what there is of a task; of anything else the id is NONE */
export function readTask(result: Span, arena: Arena): TaskState {
  const state = make<TaskState>(arena);
  const id = textIn(result, TASK_ID, arena);
  state.id = length(id) > 0 && length(id) <= MOST_OF_ID ? id : NONE;
  state.status = statusOf(textIn(result, STATUS, arena));
  const interval = member(result, POLL_INTERVAL, arena);
  state.interval = isNumber(interval)
    ? (min(max(doubleOf(interval), LEAST_INTERVAL as f64), MOST_INTERVAL as f64) as u32)
    : USUAL_INTERVAL;
  const ttl = member(result, TTL, arena);
  state.ttl = isNumber(ttl) ? (min(max(doubleOf(ttl), 0), MOST_TTL) as i64) : -1;
  return state;
}

/** Milliseconds: a day. */
const MOST_TTL: f64 = 86_400_000;

function isNumber(value: Span): bool {
  return value !== NONE && kindOf(value) === Kind.Number;
}

/** NONE where it is no text. */
function textIn(object: Span, name: Span, arena: Arena): Span {
  const value = member(object, name, arena);
  return value === NONE || kindOf(value) !== Kind.String ? NONE : textOf(value, arena);
}

function statusOf(text: Span): TaskStatus {
  if (text === NONE) return TaskStatus.Unknown;
  if (equals(text, WORKING)) return TaskStatus.Working;
  if (equals(text, INPUT_REQUIRED)) return TaskStatus.InputRequired;
  if (equals(text, COMPLETED)) return TaskStatus.Completed;
  if (equals(text, FAILED)) return TaskStatus.Failed;
  return equals(text, CANCELLED) ? TaskStatus.Cancelled : TaskStatus.Unknown;
}

const OPEN = literal('{"jsonrpc":"2.0","id":');
const METHOD = literal(',"method":"');
const PARAMS = literal('","params":{"_meta":');
const TASK = literal(',"taskId":');
const CLOSE = literal('}}');

/** A request about a task. @param id of the request, a string token. @param taskId a string token */
export function writeTaskRequest(out: Writer, id: Span, method: Method, taskId: Span, arena: Arena): Writer {
  return out
    .bytes(OPEN)
    .bytes(id)
    .bytes(METHOD)
    .bytes(methodText(method))
    .bytes(PARAMS)
    .bytes(requestMeta(TASK_CAPABILITIES, OUR_INFO, arena))
    .bytes(TASK)
    .bytes(taskId)
    .bytes(CLOSE);
}
