// A large call whose server has to be joined first: its client is held back meanwhile, and nothing of it is lost.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message } from '../clients/answers.ts';
import { callMessage, openSession } from '../clients/session.ts';
import { framings, upload } from '../clients/upload.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { addFilterBefore, jwtAuthn } from '../token-filter.ts';
import { startScripted, type Answer, type Scripted } from '../upstreams/scripted.ts';

const ends = framings.flatMap((framing) => [
  { framing, trailers: undefined },
  ...(framing === 'HTTP/2' ? [{ framing, trailers: { 'x-end': '1' } }] : []),
]);

describeGateway('a large call whose server is joined with it', () => {
  let there: Scripted;
  let late: Scripted;
  beforeAll(async () => {
    there = await startScripted({ tools: ['echo'] });
    late = await startScripted({ tools: ['echo'], sessionId: 'late' });
  });
  afterAll(() => Promise.all([there.stop(), late.stop()]));
  /** One for each test: a server that was missed is left alone for some seconds. */
  const gateways = ends.map(() =>
    useGateway(() => ({
      servers: [
        { name: 'there', url: there.url },
        { name: 'late', url: late.url },
      ],
      workers: 1,
      // What a filter before the module lets pass is held back just as what comes to the first one.
      adjust: (bootstrap) => {
        addFilterBefore(bootstrap, jwtAuthn());
      },
    })),
  );

  it.each(ends.map((end, index) => ({ ...end, index })))(
    'passes whole over $framing, trailers: $trailers',
    async ({ framing, trailers, index }) => {
      const gateway = gateways[index];
      if (gateway === undefined) throw new Error('no gateway for it');
      for (const size of [100_000, 2_100_000, 5_000_000]) {
        // Of each part some comes before the server has answered, and some behind.
        for (const parts of [1, 2, 7]) {
          await late.stop();
          const { id } = await openSession(gateway.current.url);
          await late.start();
          late.forget();
          late.answers = { initialize: slowly };
          const body = (tool: string): Buffer =>
            Buffer.from(callMessage(`"${tool}"`, JSON.stringify({ text: 'x'.repeat(size) }), '"big"'));
          const bytes = body('late_echo');
          const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
          const sent = upload(gateway.current.url, {
            framing,
            headers,
            size: bytes.length,
            ...(trailers === undefined ? {} : { trailers }),
          });
          const length = Math.ceil(bytes.length / parts);
          for (let at = 0; at < bytes.length; at += length) {
            void sent.write(bytes.subarray(at, at + length));
            await sleep(30);
          }
          sent.end();
          const answer = await sent.answer;
          expect([answer.status, message(answer).id], answer.text.slice(0, 300)).toEqual([200, 'big']);
          expect(message(answer)).toHaveProperty('result');
          expect(sha256(late.last('tools/call').body)).toBe(sha256(body('echo')));
          expect(late.of('tools/call')).toHaveLength(1);
        }
      }
    },
  );
});

const slowly: Answer = async ({ id }, reply) => {
  await sleep(100);
  reply.head(200, { 'content-type': 'application/json', 'mcp-session-id': 'late' });
  const result = {
    protocolVersion: '2025-11-25',
    capabilities: { tools: {} },
    serverInfo: { name: 'late', version: '1' },
  };
  reply.end(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
};

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
