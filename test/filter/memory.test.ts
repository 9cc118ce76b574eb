import { expect, test } from 'vitest';
import {
  type Asked,
  answerAll,
  ask,
  callOf,
  type Gateway,
  LIST,
  openSession,
  startHost,
  startPair,
} from './gateway.ts';

const plugin = { limits: { listPages: 3 } };
const gateways = [
  { mode: 'hold', start: (): Gateway => startHost(plugin) },
  { mode: 'pair', start: (): Gateway => startPair(plugin) },
  { mode: 'pair, in two VMs', start: (): Gateway => startPair(plugin, { apart: true }) },
];

test.each(gateways)(
  'the memory of a worker stays as it is over 50,000 requests of all kinds in host mode $mode',
  ({ start }) => {
    const gateway = start();
    run(gateway, 2_000);
    const before = gateway.pages;
    run(gateway, 48_000);
    expect(gateway.pages).toBe(before);
  },
  // It takes 3 s alone, and ten times as long where others have the processors.
  300_000,
);

function run(gateway: Gateway, count: number): void {
  const headers = openSession(gateway);
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
    const stream = ask(gateway, kind);
    // A client may be gone before its answers come.
    if (index % 7 === 0) stream.close();
    answerAll(gateway);
    if (stream.forwarded !== undefined && !stream.over)
      stream.respond([[':status', index % 3 === 0 ? '500' : '200']], [Buffer.from('{}')]);
    stream.close();
  }
}
