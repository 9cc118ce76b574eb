import { CLOSING_BRACE, CLOSING_BRACKET, COMMA, QUOTE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { literal } from '../bytes/span';
import { Writer } from '../bytes/writer';
import { writeEscaped } from '../json/text';
import { CatalogSource } from '../model/catalog';
import { Gateway } from '../model/gateway';
import { readCatalogState } from '../session/catalog-state';

const NAMESPACE = literal('{"namespace":"');
const REVISION = literal('","revision":');
const NULL = literal('null');
const SERVERS = literal(',"servers":');
const HEARD = literal(',"heardAt":');
const LAST_FAILURE = literal(',"lastFailure":{"detail":"');
const AT = literal('","at":');
const LEFT_OUT = literal(',"leftOut":[');

/** Writes what the status says of a catalog, an object. */
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
  writer.byte(CLOSING_BRACKET).byte(CLOSING_BRACE);
}
