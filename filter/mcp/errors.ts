import { PERCENT } from '../bytes/ascii';
import { Span, literal, NONE, indexOf, first, after, equals } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { writeEscaped } from '../json/text';

/** Why a request was not served. The names are stable: clients, dashboards and alerts depend on them. */
export const enum Reason {
  None,
  ParseError,
  InvalidRequest,
  IncompleteMeta,
  UnexpectedResponse,
  BodyTooLarge,
  WholeTooLarge,
  ResponseTooLarge,
  RequestTooLarge,
  ClientInfoTooLarge,
  MethodNotAllowed,
  HostForbidden,
  OriginForbidden,
  OtherSubject,
  Unauthenticated,
  TokenNotGood,
  StatusForbidden,
  StatusNotConfigured,
  Forbidden,
  ForbiddenArguments,
  QuotaExceeded,
  RequestTimeout,
  HostBodyLimit,
  MethodNotFound,
  ModernMethodNotFound,
  SessionsAlone,
  UnknownTool,
  UnknownPrompt,
  UnknownResource,
  ModernUnknownResource,
  UnknownEvent,
  BadCursor,
  BadRequestState,
  UnknownTask,
  MissingCapability,
  InvalidArguments,
  InvalidPromptArguments,
  SessionRequired,
  SessionUnknown,
  UnsupportedVersion,
  UnsupportedModernVersion,
  StatelessVersionOnly,
  HeaderMismatch,
  UnknownVirtualServer,
  UpstreamUnknownCluster,
  UpstreamUnreachable,
  UpstreamDropped,
  UpstreamTimeout,
  UpstreamStatus,
  UpstreamHost,
  UpstreamProtocol,
  UpstreamEra,
  UpstreamUnauthorized,
  UpstreamCredential,
  UpstreamSessionLost,
  HostMode,
  Loop,
  Overloaded,
  Cancelled,
  ToolChanged,
  ToolUnpinned,
  ResultTooLarge,
  TooManyCalls,
  NoHttpSse,
  HttpSseAlone,
  CredentialMissing,
  TokenRefused,
  TokenUnavailable,
  InputUnanswered,
  CatalogUnready,
  TaskFailed,
  TaskCancelled,
}

export const LAST_REASON: i32 = Reason.TaskCancelled;

/** One answer to one kind of failure. */
@unmanaged
export class ErrorRow {
  name: Span;
  /**
   * HTTP status of the answer to a request whose id is known. 200 is the one status under which every client shows the
   * message and goes on; another one stands where clients or proxies act on it, or where MCP fixes it.
   */
  status: u32;
  /** HTTP status where no id is known: never 200, or the client would wait for an answer that has its id. */
  statusWithoutId: u32;
  /** The answer has no id even where it is known: more clients notice then that their session is over. */
  withholdsId: bool;
  /** To a call of a tool it is told as its result (`isError`): the model that made the call reads it, and can do better. */
  isResult: bool;
  /** A policy says no: who asks may not, or not that. Other rows tell of what failed. */
  isDenial: bool;
  code: i32;
  /** Says what to do next; `%` stands for the detail. */
  message: Span;
}

const ROWS: usize = heap.alloc(((LAST_REASON + 1) as usize) * offsetof<ErrorRow>());

export function errorRow(reason: Reason): ErrorRow {
  return changetype<ErrorRow>(ROWS + (reason as usize) * offsetof<ErrorRow>());
}

/** The same failure as the era without sessions has it: MCP 2026-07-28 gives some of them another code or status. */
export function inStatelessEra(reason: Reason): Reason {
  if (reason === Reason.MethodNotFound) return Reason.ModernMethodNotFound;
  return reason === Reason.UnknownResource ? Reason.ModernUnknownResource : reason;
}

/** Several rows may have one name, and are told apart by nobody outside: the first of them. */
export function firstOfName(reason: Reason): Reason {
  const name = errorRow(reason).name;
  let found: i32 = Reason.None;
  while (!equals(errorRow(found).name, name)) found++;
  return found;
}

/** The HTTP status of an answer. @param id of the request, or NONE */
export function statusFor(reason: Reason, id: Span): u32 {
  const at = errorRow(reason);
  return id === NONE ? at.statusWithoutId : at.status;
}

function row(reason: Reason, name: string, status: u32, statusWithoutId: u32, code: i32, message: string): void {
  const at = errorRow(reason);
  at.name = literal(name);
  at.status = status;
  at.statusWithoutId = statusWithoutId;
  at.code = code;
  at.message = literal(message);
}

// Codes that JSON-RPC and MCP define keep their meaning; ours lie outside -32768…-32000, which JSON-RPC reserves.
// prettier-ignore
{
  row(Reason.None, 'none', 200, 200, 0, '');
  row(Reason.ParseError, 'parse_error', 400, 400, -32700, 'The request body was refused: %. Send one JSON document in UTF-8 that names each member once.');
  row(Reason.InvalidRequest, 'invalid_request', 400, 400, -32600, 'Not a request this gateway takes: %. Send one JSON-RPC 2.0 message per POST.');
  row(Reason.IncompleteMeta, 'invalid_request', 400, 400, -32602, 'A request of this revision says of itself what it speaks, and this one does not: params._meta lacks %. Add it.');
  row(Reason.UnexpectedResponse, 'invalid_request', 400, 400, -32600, 'This response answers nothing that a server of this session has asked. Repeat the id of the request as it came, in the session in which it came.');
  row(Reason.BodyTooLarge, 'body_too_large', 200, 413, -32600, 'The gateway had read % bytes of the body and did not know yet where it goes. Put params.name before the arguments, send less, or raise limits.heldBody.');
  row(Reason.WholeTooLarge, 'body_too_large', 200, 413, -32600, 'The gateway had read % bytes of the body, and has to hold all of it before this call can be made. Send less, or raise limits.heldBody.');
  row(Reason.ResponseTooLarge, 'body_too_large', 200, 413, -32600, 'The gateway had read % bytes of the response and did not know yet which server it is for. Put id before result, send less, or raise limits.heldBody.');
  row(Reason.RequestTooLarge, 'body_too_large', 200, 413, -32600, 'The body is larger than limits.requestBody allows: % bytes so far. Send less.');
  row(Reason.HostBodyLimit, 'body_too_large', 200, 413, -32600, 'The request body is larger than Envoy holds for one request. Send less, or raise per_connection_buffer_limit_bytes of the listener above limits.heldBody.');
  row(Reason.HostForbidden, 'host_forbidden', 403, 403, -31002, 'This gateway is not served under the host %. Use the host name that it was set up for, or add this one to hosts in its configuration.');
  row(Reason.OriginForbidden, 'origin_forbidden', 403, 403, -31003, 'Web pages of the origin % may not use this gateway. If they should, add the origin to origins in its configuration.');
  row(Reason.OtherSubject, 'other_subject', 403, 403, -31018, 'The list of what may be used, in x-mcp-authorized, is not for the subject of this token. Send the token with a list that was made for it; if you did, compare allowedCapabilities.subject and identity.subject in the configuration: both have to name the same subject.');
  row(Reason.Unauthenticated, 'unauthenticated', 401, 401, -31001, 'This gateway needs to know who asks, and the request says nothing that it can use. Send a valid token; if you did, check identity in the configuration, and the filter before this one that provides it.');
  row(Reason.TokenNotGood, 'unauthenticated', 401, 401, -31001, 'This gateway needs to know who asks, and the token of this request is not good: %. Get a new token for this gateway and send it as Authorization: Bearer; if that does not help, who runs the gateway compares auth.issuers with the token.');
  row(Reason.StatusForbidden, 'unauthenticated', 401, 401, -31001, 'The status of this gateway is for who has its token, and for its own machine. Send the token of status in its configuration, as Authorization: Bearer.');
  row(Reason.StatusNotConfigured, 'status_not_configured', 404, 404, -31017, 'This gateway shows no status, as none is configured. Put status: { env: NAME } into its configuration, where the variable NAME has a token of at least 16 characters, and send that as Authorization: Bearer.');
  row(Reason.Forbidden, 'forbidden', 403, 403, -31005, 'The token may see this, and needs more scopes to use it: %. Get a token that has them, and send the request again.');
  row(Reason.ForbiddenArguments, 'forbidden_arguments', 200, 400, -32602, 'The rules of this gateway do not allow this call with these arguments: %. Call it with other arguments, or ask who runs the gateway.');
  row(Reason.QuotaExceeded, 'quota_exceeded', 200, 429, -31009, 'A budget of requests is used up: that of %. Try again after the seconds that Retry-After tells; quotas in the configuration has the budgets.');
  row(Reason.RequestTimeout, 'request_timeout', 200, 408, -31008, 'The request did not arrive in time. Send it again; if its body is large, raise request_timeout and stream_idle_timeout of the listener.');
  row(Reason.ClientInfoTooLarge, 'body_too_large', 200, 413, -32600, '%, more than limits.clientInfo allows: every server gets a copy of it. Send less.');
  row(Reason.MethodNotAllowed, 'method_not_allowed', 405, 405, -32000, '% is not served here. POST messages to this endpoint; the Allow header names all methods.');
  row(Reason.NoHttpSse, 'method_not_allowed', 405, 405, -32000, 'GET without a session asks for HTTP+SSE (2024-11-05), and not exactly one server of that transport is behind this path. POST initialize for Streamable HTTP; or use the path of a virtual server that has one such server.');
  row(Reason.HttpSseAlone, 'method_not_allowed', 405, 405, -32000, 'The server behind this path speaks HTTP+SSE (2024-11-05) alone: %. Open its event stream with GET; clients that know both transports do so by themselves.');
  row(Reason.MethodNotFound, 'method_not_found', 200, 400, -32601, 'Method not found: %. This gateway serves initialize, ping, and the methods of tools, prompts, resources, completion and logging that one of its servers offers; it serves no tasks.');
  row(Reason.ModernMethodNotFound, 'method_not_found', 404, 404, -32601, 'Method not found: %. Of this revision the gateway serves server/discover, and the methods of tools, prompts, resources, completion, tasks and events that one of its servers offers. Methods of other extensions pass where it has one server and no rules: ask that server, or a gateway for it alone.');
  row(Reason.SessionsAlone, 'method_not_found', 404, 404, -32601, 'Method not found: server/discover. None of the servers here speaks 2026-07-28. Open a session with initialize; for clients that know no sessions, whoever runs the gateway can configure discover: always.');
  row(Reason.UnknownTool, 'unknown_tool', 200, 400, -32602, 'Unknown tool: %. Call tools/list for the names that exist here.');
  row(Reason.ToolChanged, 'tool_changed', 200, 400, -32602, 'The definition of this tool is not the one that was pinned: %. Use another tool, or tell who runs the gateway: sluice lock shows what changed, and pins the new one.');
  row(Reason.ToolUnpinned, 'tool_changed', 200, 400, -32602, 'The definition of this tool is not pinned, and this gateway runs pinned tools alone: %. Use another tool, or tell who runs the gateway: sluice lock pins it.');
  row(Reason.TooManyCalls, 'too_many_calls', 200, 429, -31011, 'As many calls are under way as there may be at once: those of %. Try again when one of them has ended; quotas in the configuration has the numbers.');
  row(Reason.ResultTooLarge, 'result_too_large', 200, 502, -31010, 'The result of this call is larger than the gateway passes on, which is % bytes. Call the tool for less, such as a page, a filter or a part, where it can do that.');
  row(Reason.UnknownPrompt, 'unknown_prompt', 200, 400, -32602, 'Unknown prompt: %. Call prompts/list for the names that exist here.');
  row(Reason.UnknownResource, 'unknown_resource', 200, 400, -32002, 'Unknown resource: %. Call resources/list and resources/templates/list for what exists here.');
  row(Reason.ModernUnknownResource, 'unknown_resource', 200, 400, -32602, 'Unknown resource: %. Call resources/list and resources/templates/list for what exists here.');
  row(Reason.UnknownEvent, 'unknown_event', 200, 400, -32023, 'Unknown event: %. Call events/list for the names that exist here.');
  row(Reason.BadCursor, 'bad_cursor', 200, 400, -32602, 'This cursor is not one of ours, or the list has changed since it was given. Send the request without a cursor, to begin anew.');
  row(Reason.BadRequestState, 'bad_request_state', 200, 400, -32602, 'This requestState is not what the server of this request gave to this caller: it was changed, or is of another server, another caller, or a key that is gone. Repeat it as it came; or send the request without requestState and inputResponses, to begin anew.');
  row(Reason.UnknownTask, 'unknown_task', 200, 400, -32602, 'Unknown task: %. Send the taskId as it came, through the path and as the caller that it was given to; or call the tool again.');
  row(Reason.MissingCapability, 'missing_capability', 400, 400, -32021, 'The client has to be capable of this, and does not say so: %. Add it to the client capabilities in params._meta.');
  row(Reason.InvalidArguments, 'invalid_arguments', 200, 400, -32602, 'Invalid arguments: %. Call the tool again with arguments that its inputSchema allows.');
  row(Reason.InvalidPromptArguments, 'invalid_arguments', 200, 400, -32602, 'Invalid arguments: %. Send prompts/get again with the arguments that prompts/list names.');
  row(Reason.SessionRequired, 'session_required', 400, 400, -32000, 'The Mcp-Session-Id header is missing. Send initialize first and repeat the id it answers with.');
  row(Reason.SessionUnknown, 'session_unknown', 404, 404, -32001, 'This session does not exist or has ended. Send initialize to begin a new one.');
  row(Reason.UnsupportedVersion, 'unsupported_version', 400, 400, -32000, 'Unsupported MCP-Protocol-Version: %. Send the revision that initialize answered with.');
  row(Reason.UnsupportedModernVersion, 'unsupported_version', 400, 400, -32022, 'Unsupported protocol version: %. Send requests of a supported revision, or initialize for one with sessions.');
  row(Reason.StatelessVersionOnly, 'unsupported_version', 400, 400, -32022, 'Unsupported protocol version: %. In host mode headers this gateway serves the supported revisions alone, which begin without initialize; for others set hostMode to hold or pair.');
  row(Reason.HeaderMismatch, 'header_mismatch', 400, 400, -32020, 'The headers of this request do not say what its body says: %. Send Mcp-Method, Mcp-Name and MCP-Protocol-Version as they stand in the message.');
  row(Reason.UnknownVirtualServer, 'unknown_virtual_server', 200, 404, -31004, 'Unknown virtual server: %. Name one that is configured, as <namespace>/<name>, in the path behind the endpoint; where the endpoint itself is open, once in x-mcp-virtualserver does as well.');
  row(Reason.UpstreamUnknownCluster, 'upstream_unknown_cluster', 200, 502, -32603, 'Envoy has no usable cluster for this server: %. Add the cluster to the Envoy configuration, with at least one endpoint.');
  row(Reason.UpstreamUnreachable, 'upstream_unreachable', 200, 502, -32603, 'The server cannot be reached: %. Try again, and check that it runs.');
  row(Reason.UpstreamDropped, 'upstream_unreachable', 200, 502, -32603, 'The connection to the server ended before its answer: %. What it was asked may have run there: look before you send it again, and see the log of the server.');
  row(Reason.UpstreamTimeout, 'upstream_timeout', 200, 504, -32603, 'The server did not answer in time: %. What it was asked may still be running there: look before you send it again, or raise its timeout.');
  row(Reason.UpstreamStatus, 'upstream_status', 200, 502, -32603, 'The server answered with an HTTP error: %. See the log of the server.');
  row(Reason.UpstreamHost, 'upstream_status', 200, 502, -32603, 'The server does not serve the host name that the gateway asks it by: %. Set authority of this server in the configuration to a name that it serves, or add this name to those that it allows.');
  row(Reason.UpstreamProtocol, 'upstream_protocol', 200, 502, -32603, 'The server broke the protocol: %. See the log of the server.');
  row(Reason.UpstreamEra, 'upstream_protocol', 200, 502, -32603, 'The server refuses the revision of MCP that it was asked in, as one of another era does: %. Send the request again, since the gateway asks anew; if that fails too, check servers[].protocol, and the host mode: headers reaches servers of 2026-07-28 alone, hold or pair all.');
  row(Reason.UpstreamUnauthorized, 'upstream_unauthorized', 200, 502, -32603, 'The server refused the credentials that it was sent: %. Check the credentials of this server in the configuration; where the client\'s own pass through, send it good ones.');
  row(Reason.UpstreamCredential, 'upstream_unauthorized', 200, 502, -32603, 'The server takes a credential of the caller, and the request has none that it could be sent: %. Send it in that header.');
  row(Reason.CredentialMissing, 'credential_missing', 200, 403, -31012, 'The gateway has no credential of this server for this caller: %. Use an account that has one, or ask who runs the gateway for one: an option for this caller, or otherwise, in credentials of the server.');
  row(Reason.TokenRefused, 'token_exchange_failed', 200, 502, -31013, 'The token endpoint refused to exchange the token of this caller for one of this server: %. Get a new token and send the request again; if that does not help, who runs the gateway checks client, audience, resource and scopes in credentials of the server.');
  row(Reason.TokenUnavailable, 'token_exchange_failed', 200, 502, -31013, 'The token endpoint gave no token for this server: %. Try again in a moment; who runs the gateway checks that the endpoint runs, and tokenEndpoint and cluster in credentials of the server.');
  row(Reason.UpstreamSessionLost, 'upstream_session_lost', 200, 502, -32603, 'The server had lost its session, and did not run this call, which was too large to be kept and sent once more. A new session is there now: send the call again.');
  row(Reason.HostMode, 'host_mode', 500, 500, -32603, 'Envoy does not give the gateway what its host mode needs: %. Correct the filters of the listener; docs/host-modes.md has each case.');
  row(Reason.Loop, 'loop', 508, 508, -32603, 'This request has passed this gateway before (Via: %). Point the server at its own address, not at the gateway.');
  row(Reason.Overloaded, 'overloaded', 200, 503, -31006, 'The gateway holds as much as it may (%). Try again in a moment, or raise the limit.');
  row(Reason.InputUnanswered, 'input_unanswered', 200, 502, -31014, 'The server needs input for this, and did not get it: %. Give it with the arguments where that can be done; a client of revision 2026-07-28 can give it in any case.');
  row(Reason.CatalogUnready, 'catalog_unready', 200, 503, -31015, 'The catalog of this gateway, which says what it serves, is not there yet: %. Try again in a moment; if it stays so, see catalog in the status and the log of the gateway, and the plugin server that it asks.');
  row(Reason.Cancelled, 'cancelled', 200, 400, -32800, 'The request was cancelled, and the server left its event stream open, which the gateway ended. What it was asked may still be running there.');
  row(Reason.TaskCancelled, 'cancelled', 200, 400, -32800, 'The request was cancelled, and the server was told to cancel the task that it had made of it. The task may still be running there.');
  row(Reason.TaskFailed, 'task_failed', 200, 502, -31016, 'The server has made a task of this call, and the task has come to no result: %. Call the tool again where that can be done; see the log of the server.');
  errorRow(Reason.SessionUnknown).withholdsId = true;
  errorRow(Reason.InvalidArguments).isResult = true;
  errorRow(Reason.ForbiddenArguments).isResult = true;
  errorRow(Reason.QuotaExceeded).isResult = true;
  errorRow(Reason.QuotaExceeded).isDenial = true;
  errorRow(Reason.HostForbidden).isDenial = true;
  errorRow(Reason.OriginForbidden).isDenial = true;
  errorRow(Reason.OtherSubject).isDenial = true;
  errorRow(Reason.Unauthenticated).isDenial = true;
  errorRow(Reason.TokenNotGood).isDenial = true;
  errorRow(Reason.StatusForbidden).isDenial = true;
  errorRow(Reason.ForbiddenArguments).isDenial = true;
  errorRow(Reason.UnknownTool).isDenial = true;
  errorRow(Reason.ToolChanged).isResult = true;
  errorRow(Reason.ToolChanged).isDenial = true;
  errorRow(Reason.ResultTooLarge).isResult = true;
  errorRow(Reason.TooManyCalls).isResult = true;
  errorRow(Reason.InputUnanswered).isResult = true;
  errorRow(Reason.TaskFailed).isResult = true;
  errorRow(Reason.TooManyCalls).isDenial = true;
  errorRow(Reason.ToolUnpinned).isResult = true;
  errorRow(Reason.ToolUnpinned).isDenial = true;
  errorRow(Reason.UnknownPrompt).isDenial = true;
  errorRow(Reason.UnknownResource).isDenial = true;
  errorRow(Reason.ModernUnknownResource).isDenial = true;
  errorRow(Reason.SessionUnknown).isDenial = true;
  errorRow(Reason.UnknownVirtualServer).isDenial = true;
  errorRow(Reason.CredentialMissing).isDenial = true;
}

const OPEN = literal('{"jsonrpc":"2.0","id":');
const NULL_ID = literal('null');
const CODE = literal(',"error":{"code":');
const MESSAGE = literal(',"message":"');
const DATA = literal('","data":{"reason":"');
const SERVER = literal('","server":"');
const QUOTE = literal('"');
const CLOSE = literal('}}}');

/** The message of a row, escaped for a JSON string. @param detail see `writeError` */
export function writeMessage(writer: Writer, reason: Reason, detail: Span): void {
  const message = errorRow(reason).message;
  const gap = indexOf(message, PERCENT);
  if (gap < 0) {
    writer.bytes(message);
    return;
  }
  writer.bytes(first(message, gap as u32));
  writeEscaped(writer, detail);
  writer.bytes(after(message, (gap as u32) + 1));
}

/**
 * The JSON-RPC error for a row.
 * @param id of the request, as it was written, or NONE
 * @param detail text for the message's `%`; escaped here
 * @param server name of the server concerned, or NONE
 * @param more further members of `data` as JSON, with a leading comma, or NONE
 */
export function writeError(writer: Writer, id: Span, reason: Reason, detail: Span, server: Span, more: Span): void {
  const at = errorRow(reason);
  writer.bytes(OPEN).bytes(id === NONE || at.withholdsId ? NULL_ID : id);
  writer
    .bytes(CODE)
    .signed(at.code as i64)
    .bytes(MESSAGE);
  writeMessage(writer, reason, detail);
  writer.bytes(DATA).bytes(at.name);
  if (server !== NONE) writer.bytes(SERVER).bytes(server);
  writer.bytes(QUOTE);
  if (more !== NONE) writer.bytes(more);
  writer.bytes(CLOSE);
}
