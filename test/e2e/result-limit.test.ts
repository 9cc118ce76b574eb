// How much of a result goes on to the client: text is cut, everything else is refused, and the rest is untouched.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import { callMessage, openSession, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Answer, events, json, pieces, type Scripted, startScripted, status } from './upstreams/scripted.ts';

const most = 4096;
const large = 'Zürich 😀 \\" \\\\ \\u00e9\\ud83d\\ude00 '.repeat(1000);
const whole = JSON.parse(`"${large}"`) as string;
const note = `[The gateway has cut this result, which is larger than ${most} bytes.`;

const text = (content: string, more = ''): string => `{"type":"text","text":"${content}"${more}}`;
const response = (result: string): string => `{"jsonrpc":"2.0","id":ID,"result":${result}}`;
const content = (...blocks: string[]): string => `{"content":[${blocks.join(',')}]}`;

/** The same answer as a document and as an event stream, in one piece and in many. */
function forms(message: string): [name: string, answer: Answer][] {
  const cut = (of: string): string[] => of.match(/.{1,777}/gsu) ?? [];
  const event = `: hello\n\nid: e1\nevent: message\ndata: ${message}\n\n`;
  return [
    ['a document', json(message)],
    ['a document in pieces', pieces('application/json', cut(message), 1)],
    ['an event', events(event)],
    ['an event in pieces', pieces('text/event-stream', cut(event), 1)],
    ['an event without its blank line', events(event.trimEnd())],
  ];
}

describeGateway('a limit on results', () => {
  let server: Scripted;
  let service: Scripted;
  let session: Session;
  beforeAll(async () => {
    server = await startScripted({ tools: ['cut', 'refuse', 'free'] });
    service = await startScripted();
    service.answers['GET'] = status(200, 'text/plain', whole);
  });
  afterAll(() => Promise.all([server.stop(), service.stop()]));
  const definition = (name: string): object => ({
    name,
    args: [],
    requestTemplate: { url: `/${name}`, method: 'GET' },
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'rest', url: service.url, rest: { tools: [definition('text')] } },
      {
        name: 'one',
        url: server.url,
        results: { maxBytes: most },
        tools: { results: { refuse: { maxBytes: most, over: 'refuse' }, 'fre?': { maxBytes: 'none' } } },
      },
    ],
    plugin: { results: { maxBytes: '1Ki', over: 'refuse' } },
  }));
  beforeAll(async () => {
    session = await openSession(gateway.current.url);
  });

  async function call(tool: string, answer: Answer): Promise<RawAnswer> {
    server.answers['tools/call'] = answer;
    return session.post(callMessage(`"one_${tool}"`, '{}', '"a-7"'));
  }
  /** The response, whichever way it came. */
  function responseIn({ text: body }: RawAnswer): { id: unknown; result: Record<string, unknown> } {
    const data = /^data: (.*)$/mu.exec(body)?.[1] ?? body;
    return JSON.parse(data) as { id: unknown; result: Record<string, unknown> };
  }
  const textsIn = (result: Record<string, unknown>): string[] =>
    (result['content'] as { type: string; text?: string }[]).map(({ text: of = '' }) => of);

  const small = response(content(text('all of it')).replace('}]', '}] , "isError" : false'));
  it.each(forms(small))('lets what is small pass as it came: %s', async (_, answer) => {
    const { text: body } = await call('cut', answer);
    expect(body).toContain(small.replace('ID', '"a-7"'));
  });

  it.each(forms(response(`{"content":[${text('first')},${text(large)},${text('last')}],"isError":true,"_meta":{}}`)))(
    'cuts text at a character, and says so to the model: %s',
    async (_, answer) => {
      const got = await call('cut', answer);
      const { id, result } = responseIn(got);
      expect(id).toBe('a-7');
      expect(result['isError']).toBe(true);
      const [first, second = '', ...others] = textsIn(result);
      expect([first, others]).toEqual(['first', []]);
      const [kept = '', said] = second.split('\n\n[The gateway');
      expect(said).toContain('has cut this result');
      expect(kept.length).toBeGreaterThan(most / 4);
      expect(whole.startsWith(kept)).toBe(true);
      expect(kept).not.toMatch(/[\ud800-\udbff]$/u);
      expect(got.body.length).toBeLessThan(most + 256);
    },
  );

  it.each([
    ['many small texts', content(...Array.from({ length: 500 }, () => text('line'))), 'line'],
    ['a type behind its text', `{"content":[{"text":"${large}","type":"text"}]}`, 'Zürich'],
    ['members before the content', `{"isError":false,"content":[${text(large)}]}`, 'Zürich'],
    [
      'an image that is small, and text',
      content('{"type":"image","data":"AAAA","mimeType":"image/png"}', text(large)),
      '',
    ],
  ])('cuts %s', async (_, result, begins) => {
    const got = responseIn(await call('cut', json(response(result))));
    const texts = textsIn(got.result);
    expect(texts[0]?.startsWith(begins)).toBe(true);
    expect(texts.at(-1)).toContain(note);
    for (const block of got.result['content'] as { type?: string }[]) expect(block.type).toBeDefined();
  });

  const data = 'A'.repeat(2 * most);
  const refusals: [string, string][] = [
    ['an image', content(`{"type":"image","data":"${data}","mimeType":"image/png"}`)],
    ['audio behind text', content(text(large), '{"type":"audio","data":"AAAA","mimeType":"audio/wav"}')],
    ['a blob', content(`{"type":"resource","resource":{"uri":"file:///a","blob":"${data}"}}`)],
    ['structured content', `{"content":[${text('x')}],"structuredContent":{"all":"${data}"}}`],
    ['structured content behind text', `{"content":[${text(large)}],"structuredContent":{}}`],
    ['no content at all', `{"_meta":{"x":"${data}"}}`],
  ];
  it.each(refusals)('refuses %s', async (_, result) => {
    for (const [, answer] of forms(response(result))) {
      const got = responseIn(await call('cut', answer));
      expect(got.id).toBe('a-7');
      expect(got.result['isError']).toBe(true);
      expect(textsIn(got.result)[0]).toContain(`larger than the gateway passes on, which is ${most} bytes`);
    }
  });

  it('refuses text where it is told to, and holds to nothing what may be of any size', async () => {
    const answer = json(response(content(text(large))));
    expect(textsIn(responseIn(await call('refuse', answer)).result)[0]).toContain('larger than the gateway passes on');
    expect(textsIn(responseIn(await call('free', answer)).result)).toEqual([whole]);
  });

  it('holds the tools of a REST service to it, and the messages of a batch', async () => {
    const rest = responseIn(await session.post(callMessage('"rest_text"')));
    expect(textsIn(rest.result)[0]).toContain('larger than the gateway passes on, which is 1024 bytes');

    server.answers['tools/call'] = json(response(content(text(large))));
    const older = await openSession(gateway.current.url, { revision: '2025-03-26' });
    const { text: body } = await older.post(
      `[${callMessage('"one_cut"', '{}', '1')},${callMessage('"one_free"', '{}', '2')}]`,
    );
    const [cut, free] = JSON.parse(body) as { result: Record<string, unknown> }[];
    expect(textsIn(cut?.result ?? {})[0]).toContain(note);
    expect(textsIn(free?.result ?? {})[0]).toBe(whole);
  });

  it('lets notifications of any size pass before the result', async () => {
    const progress = `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${data}"}}`;
    const answer = events(`data: ${progress}\n\n`, `data: ${response(content(text('done')))}\n\n`);
    const { text: body } = await call('cut', answer);
    expect(body).toContain(progress);
    expect(body).toContain('done');
  });

  it('takes what is no JSON for too large as well', async () => {
    const got = await call('cut', json(response(content(text(large))).slice(0, -20)));
    expect(message(got).result?.['isError'] ?? message(got).error).toBeDefined();
  });
});
