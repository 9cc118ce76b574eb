import { scratch } from '../bytes/arena';
import { fingerprint, literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { FanOut } from '../federation/fanout';
import { textOf, writeEscaped } from '../json/text';
import { clipped } from '../mcp/header-text';
import { Noun } from '../mcp/nouns';
import { Server } from '../model/server';
import { Item, Page } from '../upstream/page';
import { Exchange } from './exchange';

const SERVER = literal('server ');
const TOOL = literal(': tool "');
const HIDDEN = literal(
  '" is hidden, as a call of the name that clients would see is for another tool; give one of the two another name in overrides',
);
const MORE = literal(': more of its tools are hidden for such reasons, which the log does not name');
/** What tells this reason from others that a tool is left out for. */
const SEED: u64 = 0x6e616d65;
/** MCP says that names of tools have 128 characters at most; a server may send any number. */
const MOST_NAME = 128;

/** Names the tools of these lists that are hidden by the name of another one: each once for every worker and configuration. */
export function reportNameConflicts(exchange: Exchange, fanOut: FanOut): void {
  const scope = exchange.caller.scope;
  if (exchange.noun.noun !== Noun.Tools || (scope.overrides === null && scope.search === null)) return;
  for (let i = 0; i < fanOut.calls.count; i++) {
    const call = fanOut.at(i);
    for (let p = 0; p < call.pages.count; p++) {
      reportIn(exchange, call.server, changetype<Page>(call.pages.at(p) as usize));
    }
  }
}

function reportIn(exchange: Exchange, server: Server, page: Page): void {
  const reported = server.reportedTools;
  for (let i = 0; i < page.items.count && !reported.isFull; i++) {
    const item = changetype<Item>(page.items.at(i) as usize);
    if (!item.isEclipsed || !reported.add(fingerprint(item.name, SEED))) continue;
    const line = newWriter(exchange.arena, 256).bytes(SERVER).bytes(server.name);
    if (reported.isFull) line.bytes(MORE);
    else {
      writeEscaped(line.bytes(TOOL), clipped(textOf(item.name, scratch), MOST_NAME));
      line.bytes(HIDDEN);
    }
    exchange.plan.warn(line.written, server);
  }
}
