import { expect, test } from 'vitest';
import { type Asked, answerAll, ask, callOf, LIST, openSession, startHost } from './gateway.ts';
import type { Host } from './host.ts';

test('the memory of a worker stays as it is over 100,000 requests of all kinds', () => {
  const host = startHost({ limits: { listPages: 3 } });
  run(host, 2_000);
  const before = host.memory.pages;
  run(host, 98_000);
  expect(host.memory.pages).toBe(before);
});

function run(host: Host, count: number): void {
  const headers = openSession(host);
  const kinds: Asked[] = [
    { path: '/shop', method: 'GET' },
    { headers, body: callOf('weather_get') },
    { headers, body: callOf('weather_get', 1000), chunkSize: 300 },
    { headers, body: LIST },
    { headers, body: callOf('tides_get') },
    { headers, body: '{"jsonrpc":"2.0","id":1,"method":' },
    { body: '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}' },
    { headers: [['mcp-session-id', 'forged']], body: LIST },
    { headers, body: callOf('notes_add', 66_000), chunkSize: 30_000 },
  ];
  for (let index = 0; index < count; index++) {
    // Large ones are rare, or the test would measure copying.
    const kind = kinds[index % 500 === 0 ? 8 : index % 8];
    if (kind === undefined) throw new Error('no such kind');
    const stream = ask(host, kind);
    // A client may be gone before its answers come.
    if (index % 7 === 0) stream.close();
    answerAll(host);
    if (stream.forwarded !== undefined && !stream.over)
      stream.respond([[':status', index % 3 === 0 ? '500' : '200']], [Buffer.from('{}')]);
    stream.close();
    host.log.length = 0;
  }
}
