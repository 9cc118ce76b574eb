// Requests without sessions that reach a server with sessions, from more callers than there are places to share one.
import { expect, test } from 'vitest';
import { answerAll, ask, startHost, usualAnswer } from './gateway.ts';
import { valueOf } from './pairs.ts';

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const params = { name: 'old_get', arguments: {}, _meta: meta };
const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
/** Of 2,048 places: with so many callers, some come to the place of another. */
const callers = Array.from({ length: 300 }, (_, index) => `caller ${index}`);

test('who finds no place has a session for each request, which ends with it', () => {
  const host = startHost({
    servers: [{ name: 'old', cluster: 'old', protocol: '2025-11-25' }],
    identity: { trustedHeader: 'x-user' },
  });
  /** Each caller calls once. How many sessions began, and how many ended. */
  const round = () => {
    const seen = { began: 0, ended: 0 };
    const answer: typeof usualAnswer = (callout) => {
      if (callout.body.includes('"initialize"')) seen.began++;
      if (valueOf(callout.headers, ':method') === 'DELETE') seen.ended++;
      return usualAnswer(callout);
    };
    for (const caller of callers) {
      const stream = ask(host, {
        headers: [
          ['x-user', caller],
          ['mcp-protocol-version', '2026-07-28'],
          ['mcp-method', 'tools/call'],
          ['mcp-name', 'old_get'],
        ],
        body,
      });
      answerAll(host, answer);
      expect(stream.reply, caller).toBeUndefined();
      const type: [string, string] = ['content-type', 'application/json'];
      stream.respond([[':status', '200'], type], [Buffer.from('{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')]);
      stream.close();
      answerAll(host, answer);
    }
    return seen;
  };
  const first = round();
  expect(first.began).toBe(callers.length);
  expect(first.ended).toBeGreaterThan(0);
  // Those who have a place use it again; the others begin anew, as often as they ask.
  for (let again = 0; again < 3; again++) expect(round()).toEqual({ began: first.ended, ended: first.ended });
});
