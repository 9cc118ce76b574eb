import { scratch } from '../bytes/arena';
import { Span, first, length, literal, span } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { KEY_SIZE } from '../crypto/aead';
import { hmacSha256 } from '../crypto/sha256';
import { member } from '../json/reader';
import { CLIENT_CAPABILITIES_KEY, CLIENT_INFO_KEY } from '../mcp/request-meta';
import { TOKEN_ID_SIZE } from '../session/token';
import { credentialScope } from '../upstream/credentials';
import { Exchange } from './exchange';

/**
 * Which requests without a session may share those that the gateway opens for them, see session/pool.ts. What a server
 * remembers of its caller is then seen by them all, so all have to be of one subject, with one client, through one virtual
 * server, with the same credentials for servers. Where nobody knows who asks, no request shares with another.
 */
const PURPOSE = literal('sluice shared sessions');

/** Whether it may share with any. */
export function mayShare(exchange: Exchange): bool {
  return length(exchange.caller.identity) > 0;
}

/** Names those that may share with this request, TOKEN_ID_SIZE bytes. */
export function sharingIdOf(exchange: Exchange): Span {
  const caller = exchange.caller;
  const gateway = exchange.gateway;
  const keys = gateway.keys;
  const meta = exchange.message.meta;
  const who = newWriter(scratch, 512).bytes(PURPOSE);
  write(who, caller.audience);
  write(who, caller.scoped);
  write(who, member(meta, CLIENT_CAPABILITIES_KEY, scratch));
  write(who, member(meta, CLIENT_INFO_KEY, scratch));
  for (let i = 0; i < gateway.servers.count; i++) {
    write(who, credentialScope(gateway.serverAt(i).credentials, exchange.request.pairs, keys, scratch));
  }
  const id = hmacSha256(span(keys.sealing.bytes, KEY_SIZE as u32), who.written, scratch);
  return exchange.arena.copy(first(id, TOKEN_ID_SIZE as u32));
}

/** With its length, so that no part can be taken for another. */
function write(who: Writer, part: Span): void {
  who.u32(length(part) as u32).bytes(part);
}
