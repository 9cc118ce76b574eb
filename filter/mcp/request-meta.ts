import { Span, equals, literal } from '../bytes/span';

/** What every request of the era without sessions says of itself in `params._meta` (MCP 2026-07-28, base protocol). */
export const PROTOCOL_VERSION_KEY = literal('io.modelcontextprotocol/protocolVersion');
export const CLIENT_CAPABILITIES_KEY = literal('io.modelcontextprotocol/clientCapabilities');

/** The beginning of such an object, up to what the client is capable of. */
export const STATELESS_META_OPEN = literal(
  '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":',
);

export const CLIENT_INFO_KEY = literal('io.modelcontextprotocol/clientInfo');
/** From which level on its server may log; without it, nothing. */
export const LOG_LEVEL_KEY = literal('io.modelcontextprotocol/logLevel');

/** Whether a member of `_meta` is one of those that the era with sessions does not have. */
export function isOfStatelessMeta(name: Span): bool {
  if (equals(name, PROTOCOL_VERSION_KEY) || equals(name, CLIENT_CAPABILITIES_KEY)) return true;
  return equals(name, CLIENT_INFO_KEY) || equals(name, LOG_LEVEL_KEY);
}
