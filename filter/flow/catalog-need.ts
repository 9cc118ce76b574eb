import { Arena } from '../bytes/arena';
import { Span, length, literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Reason } from '../mcp/errors';
import { Gateway } from '../model/gateway';
import { readCatalogState } from '../session/catalog-state';

/** What is said to requests that come before the catalog of their gateway. */
const SEPARATOR = literal(': ');
const NOT_HEARD = literal('the plugin server was not heard of yet');
const NOTHING = literal('it has no server that is served here');
const NO_SERVERS = literal('its configuration lists no server');

/** Whether a catalog that has not come yet may have what a request was refused for. */
export function isOfCatalog(reason: Reason): bool {
  switch (reason) {
    case Reason.UnknownTool:
    case Reason.UnknownPrompt:
    case Reason.UnknownResource:
    case Reason.UnknownVirtualServer:
      return true;
    default:
      return false;
  }
}

/** Its namespace, and why nothing of it is served. Without one, its plugin server has put an empty catalog into the configuration. */
export function catalogNeed(gateway: Gateway, arena: Arena): Span {
  const source = gateway.catalogSource;
  if (source === null) return NO_SERVERS;
  const text = newWriter(arena, 128).bytes(source.namespace).bytes(SEPARATOR);
  if (!gateway.awaitsCatalog) return text.bytes(NOTHING).written;
  const failure = readCatalogState(source, gateway.keys, arena).failure;
  return text.bytes(length(failure) === 0 ? NOT_HEARD : failure).written;
}
