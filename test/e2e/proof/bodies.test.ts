// Every byte of every body, at the server that its name says, whatever its size and the pieces that it comes in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bothProtocols } from '../clients/raw.ts';
import { openSession } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { expectSound, useGateway } from '../gateway.ts';
import { call } from './callers.ts';
import { type HashingServer, startHashingServer } from './hashing-server.ts';
import { makeSamples, randomness } from './samples.ts';
import { proofTimeout, scaled } from './scale.ts';

const names = ['one', 'two', 'three'] as const;
const megabytes = 2 << 20;

describeGateway('bodies of every size', () => {
  const servers = new Map<string, HashingServer>();
  beforeAll(async () => {
    for (const name of names) servers.set(name, await startHashingServer(name));
  });
  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  });
  const gateway = useGateway(() => ({
    servers: names.map((name) => ({ name, url: servers.get(name)?.url ?? '' })),
    plugin: { limits: { handshakeTimeout: '30s', callTimeout: '60s' } },
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it(
      'arrive whole and where they belong',
      async () => {
        const { id } = await openSession(gateway.current.url, { http });
        const samples = makeSamples(96, names, megabytes, randomness(1));
        let left = scaled(300, 10_000);
        const calls = await call({
          ...{ url: gateway.current.url, http, sessionId: id, samples },
          concurrency: 50,
          more: () => left-- > 0,
        });
        expect(calls).toEqual({ right: scaled(300, 10_000), wrong: [] });
      },
      proofTimeout,
    );

    it(
      'leave nothing behind where their client goes away',
      async () => {
        const { id } = await openSession(gateway.current.url, { http });
        const random = randomness(2);
        const samples = makeSamples(96, names, 200_000, random);
        let left = scaled(150, 3000);
        const calls = await call({
          ...{ url: gateway.current.url, http, sessionId: id, samples },
          concurrency: 50,
          more: () => left-- > 0,
          abort: () => Math.floor(random() * 7),
        });
        expect(calls.wrong).toEqual([]);
        await expectSound(gateway.current);
        const again = await openSession(gateway.current.url, { http });
        expect((await again.post('{"jsonrpc":"2.0","id":1,"method":"ping"}')).status).toBe(200);
      },
      proofTimeout,
    );
  });
});
