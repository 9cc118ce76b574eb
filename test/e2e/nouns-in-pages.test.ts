// Servers that give each of their lists in three pages.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message } from './clients/answers.ts';
import { openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Answer, type Scripted, result, startScripted } from './upstreams/scripted.ts';

/** A member of a list, as a server writes it and as the gateway does. `N` is its number, from 1. */
const nouns = {
  tools: {
    method: 'tools/list',
    member: 'tools',
    written: '{"inputSchema":{"type":"object","maximum":9007199254740993},"name":"tN"}',
    listed: '{"inputSchema":{"type":"object","maximum":9007199254740993},"name":"SERVER_tN"}',
  },
  prompts: {
    method: 'prompts/list',
    member: 'prompts',
    written: '{"x":1.0,"name":"pN","arguments":[{"name":"a"}]}',
    listed: '{"x":1.0,"name":"SERVER_pN","arguments":[{"name":"a"}]}',
  },
  resources: {
    method: 'resources/list',
    member: 'resources',
    written: '{"name":"rN","uri":"test:\\/\\/r/N","size":9007199254740993}',
    listed: '{"name":"rN","uri":"test:\\/\\/SERVER/r/N","size":9007199254740993}',
  },
  templates: {
    method: 'resources/templates/list',
    member: 'resourceTemplates',
    written: '{"uriTemplate":"test://{id}/N","name":"tN"}',
    listed: '{"uriTemplate":"test://SERVER/{id}/N","name":"tN"}',
  },
} as const;

/** Cursors hold what JSON has to escape, and say which server gave them. */
const cursor = (server: string, page: number): string => `${server} "${page}" \\ é`;

function inPages(server: string, { member, written }: (typeof nouns)[keyof typeof nouns]): Answer {
  return (request, reply) => {
    const { params } = JSON.parse(request.body.toString()) as { params?: { cursor?: string } };
    const page = [1, 2, 3].find((number) => cursor(server, number) === params?.cursor) ?? 0;
    if (params?.cursor !== undefined && page === 0) throw new Error(`${server} never gave the cursor ${params.cursor}`);
    const entries = [2 * page + 1, 2 * page + 2].map((number) => written.replaceAll('N', String(number)));
    const next = page < 2 ? `,"nextCursor":${JSON.stringify(cursor(server, page + 1))}` : '';
    return result(`{"${member}":[${entries.join(', ')}]${next}}`)(request, reply);
  };
}

describeGateway('a gateway before servers with lists in three pages', () => {
  const servers = ['one', 'two'] as const;
  let scripted: Scripted[];
  beforeAll(async () => {
    scripted = await Promise.all(
      servers.map((server) =>
        startScripted({
          sessionId: `session-of-${server}`,
          initialized: { capabilities: { tools: {}, prompts: {}, resources: {} } },
          answers: Object.fromEntries(Object.values(nouns).map((noun) => [noun.method, inPages(server, noun)])),
        }),
      ),
    );
  });
  afterAll(() => Promise.all(scripted.map((server) => server.stop())));
  const gateway = useGateway(() => ({
    servers: servers.map((name, index) => ({ name, url: scripted[index]?.url ?? '' })),
  }));

  for (const [noun, { method, member, listed }] of Object.entries(nouns)) {
    it(`lists the ${noun} of all pages`, async () => {
      const session = await openSession(gateway.current.url);
      const found: string[] = [];
      let next: string | undefined;
      do {
        const params = next === undefined ? '' : `,"params":{"cursor":${JSON.stringify(next)}}`;
        const answer = await session.post(`{"jsonrpc":"2.0","id":1,"method":"${method}"${params}}`);
        expect(answer.status).toBe(200);
        const { result } = message(answer);
        found.push(...entriesIn(answer.text, member));
        next = result?.['nextCursor'] as string | undefined;
      } while (next !== undefined);
      expect(found).toEqual(
        servers.flatMap((server) =>
          [1, 2, 3, 4, 5, 6].map((number) => listed.replace('SERVER', server).replaceAll('N', String(number))),
        ),
      );
    });
  }
});

/** The members of the list, as they are written in the text of an answer. */
function entriesIn(text: string, member: string): string[] {
  const entries: string[] = [];
  let depth = 0;
  let begin = text.indexOf(`"${member}":[`) + member.length + 4;
  for (let at = begin; at < text.length; at++) {
    const character = text[at] ?? '';
    if (depth === 0 && character === ']') break;
    if (depth === 0 && character === '{') begin = at;
    if ('{['.includes(character)) depth++;
    if ('}]'.includes(character)) depth--;
    if (depth === 0 && character === '}') entries.push(text.slice(begin, at + 1));
  }
  return entries;
}
