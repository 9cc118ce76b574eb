// Servers that write a byte order mark in front of their JSON: RFC 8259 §8.1 lets a reader ignore it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, toolNames } from './clients/answers.ts';
import { callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Answer, type Scripted, pieces, startScripted, status } from './upstreams/scripted.ts';

const mark = Buffer.from('\ufeff');
const type = 'application/json';

/** The mark in one piece with the document, and cut from it in its middle. */
const behindMark = (json: string): readonly (readonly [string, Answer])[] => [
  ['whole', pieces(type, [mark, json], 5)],
  ['cut', pieces(type, [mark.subarray(0, 1), mark.subarray(1, 2), mark.subarray(2), json], 5)],
  ['in one piece', pieces(type, [`\ufeff${json}`])],
];
const initialized =
  '{"jsonrpc":"2.0","id":ID,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}';
const listed = '{"jsonrpc":"2.0","id":ID,"result":{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}}';
const link =
  '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"resource_link","uri":"file:///a","name":"a"},{"type":"text","text":"TEXT"}]}}';

describeGateway('a byte order mark in front of', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: server.url },
      { name: 'cut', url: server.url, results: { maxBytes: '1Ki' } },
    ],
  }));

  it.each(behindMark(initialized))('the answer to initialize, %s', async (_, answer) => {
    server.answers = { initialize: answer };
    const session = await openSession(gateway.current.url);
    server.answers = {};
    expect(toolNames(await session.post(listMessage()))).toContain('one_echo');
  });

  it.each(behindMark(listed))('a list, %s', async (_, answer) => {
    const session = await openSession(gateway.current.url);
    server.answers = { 'tools/list': answer };
    const list = await session.post(listMessage());
    server.answers = {};
    expect(toolNames(list)).toEqual(['one_echo', 'cut_echo']);
  });

  it.each(behindMark(link))('a result that is rewritten, %s', async (_, answer) => {
    const session = await openSession(gateway.current.url);
    server.answers = { 'tools/call': answer };
    const called = await session.post(callMessage('"one_echo"'));
    server.answers = {};
    expect(JSON.parse(called.text.replace(/^\ufeff/, ''))).toMatchObject({ id: 1, result: { content: [{}, {}] } });
  });

  it.each(behindMark(link.replace('TEXT', 'word '.repeat(1_000))))('a result that is cut, %s', async (_, answer) => {
    const session = await openSession(gateway.current.url);
    server.answers = { 'tools/call': answer };
    const called = await session.post(callMessage('"cut_echo"'));
    server.answers = {};
    expect(message(called)).toMatchObject({ id: 1, result: { content: [{}, {}] } });
    expect(called.body.length).toBeLessThanOrEqual(1024);
  });

  it('the words of a refusal', async () => {
    const session = await openSession(gateway.current.url);
    server.answers = { 'tools/list': status(500, type, '\ufeff{"error":{"message":"not today"}}') };
    const list = await session.post(listMessage());
    server.answers = {};
    expect(message(list).error?.message).toContain('HTTP 500: not today');
  });
});
