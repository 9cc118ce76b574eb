import { CLOSING_BRACE, CLOSING_BRACKET, COMMA, QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, length, literal } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { Gateway } from '../model/gateway';
import { CatalogSource } from '../model/catalog';
import { readCatalogState } from '../session/catalog-state';

/** What is said of the catalog of a gateway: to requests that come before it, and in the status. */
const SEPARATOR = literal(': ');
const NOT_HEARD = literal('the plugin server was not heard of yet');
const NOTHING = literal('it has no server that is served here');

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

/** Its namespace, and why nothing of it is served. */
export function catalogNeed(gateway: Gateway, arena: Arena): Span {
  const source = gateway.catalogSource!;
  const text = newWriter(arena, 128).bytes(source.namespace).bytes(SEPARATOR);
  if (!gateway.awaitsCatalog) return text.bytes(NOTHING).written;
  const failure = readCatalogState(source, gateway.keys, arena).failure;
  return text.bytes(length(failure) === 0 ? NOT_HEARD : failure).written;
}

const NAMESPACE = literal('],"catalog":{"namespace":"');
const REVISION = literal('","revision":');
const NULL = literal('null');
const SERVERS = literal(',"servers":');
const HEARD = literal(',"heardAt":');
const LAST_FAILURE = literal(',"lastFailure":{"detail":"');
const AT = literal('","at":');
const LEFT_OUT = literal(',"leftOut":[');
const OPENING = literal(',"limits":[');

/** Appends `],"catalog":{…},"limits":[` to the status, behind the list of servers. */
export function writeCatalog(writer: Writer, source: CatalogSource, gateway: Gateway, arena: Arena): void {
  const state = readCatalogState(source, gateway.keys, arena);
  const catalog = gateway.catalog;
  writer.bytes(NAMESPACE).bytes(source.namespace).bytes(REVISION);
  if (catalog === null) writer.bytes(NULL);
  else {
    writer.byte(QUOTE);
    writeEscaped(writer, catalog.revision);
    writer
      .byte(QUOTE)
      .bytes(SERVERS)
      .decimal((gateway.servers.count - catalog.firstServer) as u64);
  }
  if (state.heardAt !== 0) writer.bytes(HEARD).decimal(state.heardAt / 1_000_000_000);
  if (state.failedAt !== 0) {
    writer.bytes(LAST_FAILURE);
    writeEscaped(writer, state.failure);
    writer
      .bytes(AT)
      .decimal(state.failedAt as u64)
      .byte(CLOSING_BRACE);
  }
  writer.bytes(LEFT_OUT);
  for (let i = 0; catalog !== null && i < catalog.leftOut.count; i++) {
    if (i > 0) writer.byte(COMMA);
    writer.byte(QUOTE);
    writeEscaped(writer, catalog.leftOut.at(i));
    writer.byte(QUOTE);
  }
  writer.byte(CLOSING_BRACKET).byte(CLOSING_BRACE).bytes(OPENING);
}
