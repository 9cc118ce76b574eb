// Calls that the client has cancelled, and whose server does not hear of it.
import { expect, it } from 'vitest';
import type { Callout, CalloutAnswer } from './callouts.ts';
import { answerAll, ask, callOf, INITIALIZE, reasonOf, startHost, usualAnswer } from './gateway.ts';
import { type Headers, valueOf } from './pairs.ts';

const second = 1_000_000_000n;
const cancel = '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}';
const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  serverInfo: { name: 's', version: '1' },
  ttlMs: 0,
  cacheScope: 'private',
};

/** A server of 2026-07-28. */
function answerOf(callout: Callout): CalloutAnswer {
  const id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1];
  if (id === undefined || !callout.body.includes('server/discover')) return usualAnswer(callout);
  return {
    headers: [
      [':status', '200'],
      ['content-type', 'application/json'],
    ],
    body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(discovered)}}`),
  };
}

it.each([
  ['stays as it is', 0n],
  ['is set back by an hour meanwhile', -3600n * second],
  ['is set forward by an hour meanwhile', 3600n * second],
])('a call that is cancelled is ended where the clock %s', (_, step) => {
  const host = startHost({ servers: [{ name: 'weather', cluster: 'weather', protocol: '2026-07-28' }] });
  const opening = ask(host, { body: INITIALIZE });
  answerAll(host, answerOf);
  const token = valueOf(opening.reply?.headers ?? [], 'mcp-session-id') ?? '';
  const headers: Headers = [['mcp-session-id', token]];
  const call = ask(host, { headers, body: callOf('weather_get') });
  answerAll(host, answerOf);
  expect(call.forwarded).toBeDefined();
  host.now += step;
  ask(host, { headers, body: cancel });
  answerAll(host, answerOf);
  for (let tick = 0; tick < 5; tick++) {
    host.now += second;
    host.tick();
  }
  expect(reasonOf(call)).toBe('cancelled');
});
