// Pages of lists that a VM has read before: what a client gets must not tell whether one was known.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { answerAll, ask, INITIALIZE, LIST, listOf, openSession, reasonOf, startHost } from './gateway.ts';
import type { Host } from './host.ts';
import { type Headers, valueOf } from './pairs.ts';

const servers = ['weather', 'notes'].map((name) => ({ name, cluster: name }));
const plugin = { servers, limits: { listPages: 5 } };

/** What a server can answer for a page, by its letter; `ID` stands for the id of the request. */
const PAGES: Readonly<Record<string, string>> = {
  one: page('{"tools":[{"name":"get","inputSchema":{"type":"object"}}]}'),
  'another of the same length': page('{"tools":[{"name":"put","inputSchema":{"type":"object"}}]}'),
  'with a second page': page('{"tools":[{"name":"more","inputSchema":{"type":"object"}}],"nextCursor":"2"}'),
  'with a tool that breaks a rule': page(
    '{"tools":[{"name":"odd","inputSchema":{}},{"name":"get","inputSchema":{"type":"object"}}]}',
  ),
  'with tools without a name': page('{"tools":[{"inputSchema":{"type":"object"}},7,[]]}'),
  empty: page('{"tools":[]}'),
  'its id at the end': '{"jsonrpc":"2.0","result":{"tools":[{"name":"late","inputSchema":{"type":"object"}}]},"id":ID}',
  'its id twice':
    '{"jsonrpc":"2.0","id":"7","result":{"tools":[{"name":"twice","inputSchema":{"type":"object"}}]},"id":ID}',
  'an error': '{"jsonrpc":"2.0","id":ID,"error":{"code":-32000,"message":"not today"}}',
  'half of it': '{"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"get"',
};
const KINDS = Object.keys(PAGES);

test('lists are the same for a VM that has read them before and for one that has not', () => {
  const step = fc.record({
    pages: fc.array(fc.constantFrom(...KINDS), { minLength: 4, maxLength: 4 }),
    later: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 6 }), (steps) => {
      const host = startHost(plugin);
      const headers = openSession(host);
      for (const { pages, later } of steps) {
        // The ids of requests are made of the time, and may be the same.
        host.now += BigInt(later);
        const fresh = startHost(plugin);
        fresh.now = host.now;
        expect(list(host, headers, pages)).toBe(list(fresh, openSession(fresh), pages));
      }
    }),
    { numRuns: 60 },
  );
});

test('an answer that is the same but for the id of another request is none', () => {
  const host = startHost({ servers: servers.slice(0, 1) });
  const headers = openSession(host);
  expect(list(host, headers, ['one'])).toContain('"weather_get"');
  host.now += 1_000_000n;
  const stream = ask(host, { headers, body: LIST });
  answerAll(host, (callout) =>
    answer(callout, page('{"tools":[{"name":"get","inputSchema":{"type":"object"}}]}'), '"0000000000000000000-1"'),
  );
  expect(reasonOf(stream)).toBe('upstream_protocol');
  stream.close();
});

test('what is known of many lists is held up to a limit', () => {
  const names = Array.from({ length: 100 }, (_, index) => `s${index}`);
  const spaces = names.map((name) => `all/${name}`);
  const host = startHost({
    servers: names.map((name) => ({ name, cluster: name })),
    virtualServers: names.map((name, index) => ({ name: spaces[index], tools: [`${name}_*`] })),
  });
  const run = (some: readonly string[]): void => {
    for (const name of some) {
      const path = `/mcp/${name}`;
      const opening = ask(host, { path, body: INITIALIZE });
      answerAll(host);
      const session = valueOf(opening.reply?.headers ?? [], 'mcp-session-id') ?? '';
      const stream = ask(host, { path, headers: [['mcp-session-id', session]], body: LIST });
      answerAll(host, (callout) => listOf(callout, 500_000));
      expect(stream.reply?.body.length).toBeGreaterThan(500_000);
      for (const each of [opening, stream]) each.close();
    }
  };
  run(spaces.slice(0, 10));
  const before = host.pages;
  run(spaces);
  // 50 MB of lists; 20 MiB.
  expect(host.pages - before).toBeLessThan(320);
});

function page(result: string): string {
  return `{"jsonrpc":"2.0","id":ID,"result":${result}}`;
}

/** @param pages that the servers answer with, in turn; then the last one of them */
function list(host: Host, headers: Headers, pages: readonly string[]): string {
  const stream = ask(host, { headers, body: LIST });
  let next = 0;
  answerAll(host, (callout) => answer(callout, PAGES[pages[Math.min(next++, pages.length - 1)] ?? ''] ?? ''));
  const body = stream.reply?.body.toString() ?? '';
  stream.close();
  return body;
}

function answer(
  callout: Callout,
  text: string,
  id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1] ?? '',
): CalloutAnswer {
  const headers: Headers = [
    [':status', '200'],
    ['content-type', 'application/json'],
  ];
  return { headers, body: Buffer.from(text.replace('ID', id)) };
}
