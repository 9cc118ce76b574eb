import { Era, eraOf } from '../mcp/eras';
import { LOWER_A, LOWER_I, LOWER_M, LOWER_P, LOWER_S, LOWER_X } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { NameTable, newNameTable } from '../bytes/names';
import { Span, equals, literal, pointer, startsWith, NONE } from '../bytes/span';
import { Credentials } from '../model/credentials';
import { Gateway } from '../model/gateway';
import { names, namesIn } from '../bytes/name-list';
import * as header from '../mcp/headers';
import { Revision } from '../mcp/revisions';

/**
 * Which headers of a client end at the gateway. A server has one client, the gateway, and is sent by a call what it is
 * sent by the gateway's own messages: what speaks of the connection, the page or the message on the client's side would
 * have one answered and the other refused.
 */
const ENDS_HERE = names(
  // They speak of the web page, which the gateway has judged (Fetch §3.1; `sec-` and `access-control-` below).
  'origin referer ' +
    // They speak of the connection (RFC 9110 §7.6.1, §7.8, RFC 9113 §3.1), or of trailer fields, which end here too.
    'upgrade http2-settings keep-alive expect te trailer ' +
    // They speak of a body that is read here as plain JSON, and whose name of a tool is rewritten (RFC 9110 §8.4, RFC 9530).
    'content-encoding content-language content-location content-range content-md5 digest content-digest ' +
    'repr-digest want-digest ' +
    // They limit the answer: to a message without a body, or by a part of it (`if-` below), or in a set of characters.
    'range accept-charset ' +
    // It names the past of a stream, which ends at the gateway.
    'last-event-id ' +
    // For this gateway, and what it tells later filters.
    'x-mcp-virtualserver x-mcp-authorized x-mcp-gateway x-mcp-servername x-mcp-method x-mcp-toolname x-mcp-promptname ' +
    'x-mcp-resourceuri x-mcp-eventname ' +
    'x-mcp-cluster x-sluice-endpoint ' +
    // Another method or path than the one that was decided on.
    'x-http-method-override x-method-override x-override-method x-http-method x-original-method x-forwarded-method ' +
    'x-original-url x-original-uri x-original-host x-rewrite-url x-override-url x-forwarded-uri',
);
const IF = literal('if-');
const SEC = literal('sec-');
const PROXY = literal('proxy-');
const ACCESS_CONTROL = literal('access-control-');
/** Envoy obeys them, and a client is not its operator. */
const X_ENVOY = literal('x-envoy-');
/** What Istio's own filter writes over whatever a client sent. */
const PEER_METADATA = literal('x-envoy-peer-metadata');
const MCP = literal('mcp-');
/** Arguments that a tool's schema mirrors into headers (MCP 2026-07-28): they stay true, as the arguments stay the same. */
const PARAMETER = literal('mcp-param-');

const CREDENTIAL: usize = 1;
const NOT_THE_SERVERS: usize = 2;

/** By name; what any server's `credentials` names is a credential before it is anything else. */
export function clientHeaders(gateway: Gateway, arena: Arena): NameTable {
  const table = newNameTable(arena);
  table.put(header.AUTHORIZATION, CREDENTIAL);
  table.put(header.COOKIE, CREDENTIAL);
  table.put(header.PROXY_AUTHORIZATION, CREDENTIAL);
  if (gateway.identity.header !== NONE) table.put(gateway.identity.header, CREDENTIAL);
  for (let i = 0; i < gateway.servers.count; i++) {
    const credentials = gateway.serverAt(i).credentials;
    if (credentials.header !== NONE) table.put(credentials.header, CREDENTIAL);
    for (let j = 0; j < credentials.headers.count; j++) table.put(credentials.headers.at(j), CREDENTIAL);
    const choice = credentials.choice;
    if (choice !== null && choice.trustedHeader !== NONE) table.put(choice.trustedHeader, CREDENTIAL);
  }
  const others = namesIn(ENDS_HERE, arena);
  for (let i = 0; i < others.count; i++) table.put(others.at(i), NOT_THE_SERVERS);
  return table;
}

/**
 * Whether a server does not get a header of the client's. A credential goes to the servers that name it and to no other
 * (MCP authorization: a token for one is not one for others).
 * @param table see `clientHeaders`
 * @param revision that the server is spoken to in
 */
export function endsHere(table: NameTable, name: Span, credentials: Credentials, revision: Revision): bool {
  const kind = table.get(name);
  if (kind === CREDENTIAL) return !credentials.passes(name);
  return kind === NOT_THE_SERVERS || endsByPrefix(name, revision);
}

function endsByPrefix(name: Span, revision: Revision): bool {
  // Most headers are told by their first letter.
  switch (load<u8>(pointer(name))) {
    case LOWER_A:
      return startsWith(name, ACCESS_CONTROL);
    case LOWER_I:
      return startsWith(name, IF);
    case LOWER_M:
      return startsWith(name, MCP) && !isOfMessage(name, revision);
    case LOWER_P:
      return startsWith(name, PROXY);
    case LOWER_S:
      return startsWith(name, SEC);
    case LOWER_X:
      return startsWith(name, X_ENVOY) && !startsWith(name, PEER_METADATA);
    default:
      return false;
  }
}

/** Whether the gateway sends such a header itself, or the server may rely on the client's. */
function isOfMessage(name: Span, revision: Revision): bool {
  if (equals(name, header.PROTOCOL_VERSION)) return true;
  if (eraOf(revision) === Era.Sessions) return false;
  return startsWith(name, PARAMETER) || equals(name, header.MCP_METHOD) || equals(name, header.MCP_NAME);
}
