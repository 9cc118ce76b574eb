// What a server that keeps no session is asked when one client after the other begins.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, toolNames } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { initializeMessage, listMessage, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
import { startStateful, type Stateful } from './upstreams/stateful.ts';

describeGateway('clients that begin one after the other', () => {
  let plain: Scripted;
  let keeping: Stateful;
  beforeAll(async () => {
    plain = await startScripted({ tools: ['echo'] });
    keeping = await startStateful('keeping');
  });
  afterAll(() => Promise.all([plain.stop(), keeping.server.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'plain', url: plain.url },
      { name: 'keeping', url: keeping.server.url },
    ],
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it('ask a server without sessions once, and one with sessions each time, on every worker', async () => {
      const body = initializeMessage();
      const begin = async (): Promise<readonly [id: string, result: unknown]> => {
        const answer = await post(gateway.current.url, body, { http });
        return [String(answer.headers['mcp-session-id']), message(answer).result];
      };
      const [, first] = await begin();
      plain.forget();
      for (let client = 0; client < 6; client++) {
        keeping.server.forget();
        const [id, result] = await begin();
        expect(result).toEqual(first);
        expect(keeping.server.of('initialize')).toHaveLength(1);
        const listed = toolNames(await resumeSession(gateway.current.url, id, { http }).post(listMessage()));
        expect(listed).toEqual(['plain_echo', 'keeping_echo']);
      }
      expect(plain.of('initialize')).toEqual([]);
      await post(gateway.current.url, initializeMessage(), { http });
      expect(plain.of('initialize')).toHaveLength(1);
    });
  });
});
