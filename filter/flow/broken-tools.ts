import { scratch } from '../bytes/arena';
import { fingerprint, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { Server } from '../model/server';
import { FanOut } from '../federation/fanout';
import { Item, Page } from '../upstream/page';
import { textOf, writeEscaped } from '../json/text';
import { clipped } from '../mcp/header-text';
import { Exchange } from './exchange';

const SERVER = literal('server ');
const TOOL = literal(': tool "');
const LEFT_OUT = literal(
  '" is left out of every list, as clients could not call it, or would refuse the whole list for it (MCP schema): ',
);
const MORE = literal(': more of its tools are left out for such reasons, which the log does not name');

/** MCP says that names of tools have 128 characters at most; a server may send any number. */
const MOST_NAME = 128;

/** Names the tools of these lists that are left out, and why: each once for every worker and configuration. */
export function reportBrokenTools(exchange: Exchange, fanOut: FanOut): void {
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    if (call.failed) continue;
    for (let p = 0; p < call.pages.count; p++) {
      reportIn(exchange, call.server, changetype<Page>(call.pages.at(p) as usize));
    }
  }
}

function reportIn(exchange: Exchange, server: Server, page: Page): void {
  if (page.broken === 0) return;
  const reported = server.reportedTools;
  for (let i = 0; i < page.items.count && !reported.isFull; i++) {
    const item = changetype<Item>(page.items.at(i) as usize);
    if (!item.isBroken || !reported.add(fingerprint(item.name, fingerprint(item.rule)))) continue;
    const line = newWriter(exchange.arena, 256).bytes(SERVER).bytes(server.name);
    if (reported.isFull) line.bytes(MORE);
    else {
      // A name that is no text is shown as it was written.
      const name = textOf(item.name, scratch);
      writeEscaped(line.bytes(TOOL), clipped(name === NONE ? item.name : name, MOST_NAME));
      line.bytes(LEFT_OUT).bytes(item.rule);
    }
    exchange.plan.warn(line.written, server);
  }
}
