import { literal } from '../bytes/span';

/** Names of headers, lower case as Envoy has them. */
export const METHOD = literal(':method');
export const PATH = literal(':path');
export const AUTHORITY = literal(':authority');
export const STATUS = literal(':status');
export const ACCEPT = literal('accept');
export const ACCEPT_ENCODING = literal('accept-encoding');
export const ALLOW = literal('allow');
export const AUTHORIZATION = literal('authorization');
export const COOKIE = literal('cookie');
export const CACHE_CONTROL = literal('cache-control');
export const CONTENT_ENCODING = literal('content-encoding');
export const CONTENT_LENGTH = literal('content-length');
export const CONTENT_TYPE = literal('content-type');
export const PROXY_AUTHORIZATION = literal('proxy-authorization');
export const LAST_EVENT_ID = literal('last-event-id');
export const ORIGIN = literal('origin');
export const RETRY_AFTER = literal('retry-after');
export const TRAILER = literal('trailer');
export const TRANSFER_ENCODING = literal('transfer-encoding');
export const VARY = literal('vary');
export const VIA = literal('via');
export const WWW_AUTHENTICATE = literal('www-authenticate');
export const SESSION_ID = literal('mcp-session-id');
export const PROTOCOL_VERSION = literal('mcp-protocol-version');
/** Stateless revision: what is in the body, for those who route by headers. */
export const MCP_METHOD = literal('mcp-method');
export const MCP_NAME = literal('mcp-name');
export const VIRTUAL_SERVER = literal('x-mcp-virtualserver');
/** A token that lists what its caller may use, for the gateway alone. */
export const AUTHORIZED = literal('x-mcp-authorized');
export const GATEWAY = literal('x-mcp-gateway');

/** What routes and later filters trust; a client's own values are removed from every request. */
export const SERVER_NAME = literal('x-mcp-servername');
export const METHOD_NAME = literal('x-mcp-method');
export const TOOL_NAME = literal('x-mcp-toolname');
export const PROMPT_NAME = literal('x-mcp-promptname');
export const EVENT_NAME = literal('x-mcp-eventname');
export const RESOURCE_URI = literal('x-mcp-resourceuri');
/** The cluster of the server, where it is not named like it: for a route that takes its cluster from a header. */
export const CLUSTER = literal('x-mcp-cluster');

/** The address that a cluster of type ORIGINAL_DST sends a request to: a client must not choose it. */
export const ORIGINAL_DST_HOST = literal('x-envoy-original-dst-host');

/**
 * The instance of a server that a message is for, or that has answered: `ip:port`, as its cluster reports it and finds it
 * again (Envoy's load balancing policy `override_host`). A client must neither choose it nor learn of it.
 */
export const ENDPOINT = literal('x-sluice-endpoint');

/** Milliseconds that an upstream took to answer. */
export const SERVICE_TIME = literal('x-envoy-upstream-service-time');

/**
 * Milliseconds that Envoy's router gives one try to begin its response. It does not cut a response that has begun, so
 * a stream may run on; the route's own `timeout` would.
 */
export const PER_TRY_TIMEOUT = literal('x-envoy-upstream-rq-per-try-timeout-ms');

export const JSON_TYPE = literal('application/json');
/** MCP transports: a client MUST accept both; servers refuse a request that does not (406), `*` + `/*` included. */
export const JSON_OR_EVENTS = literal('application/json, text/event-stream');
/** MCP's answers are read, and a compressed stream would come late: no coding (RFC 9110 §12.5.3). */
export const IDENTITY = literal('identity');
/** What a stream of events is asked for with. */
export const EVENTS_TYPE = literal('text/event-stream');
export const GET = literal('GET');
export const POST = literal('POST');
export const DELETE = literal('DELETE');
export const OPTIONS = literal('OPTIONS');

/** The challenge of RFC 6750 §3. */
export const BEARER = literal('Bearer');
