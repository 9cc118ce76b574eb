// Pairs that are not set up as they should be: each ends at the default-deny route that says what to set, and nothing hangs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Adjustment, connectionManager, withoutEarlyMutation } from '../adjust.ts';
import { message, refusal } from '../clients/answers.ts';
import { bothProtocols, send } from '../clients/raw.ts';
import { callMessage, initializeMessage, mcpHeaders, openSession } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type Scripted, startScripted, status } from '../upstreams/scripted.ts';
import { arranged } from './filters.ts';

const defaultDeny = { status: 500, code: -32603, reason: 'host_mode' };
const forged = { 'x-mcp-servername': 'one', 'x-mcp-toolname': 'echo' };

const misconfigured: readonly { what: string; adjust: Adjustment; says: RegExp }[] = [
  { what: 'a holder without a decider', adjust: arranged((_, holder) => [holder]), says: /sluice-holder did/ },
  { what: 'a decider without a holder', adjust: arranged((decider) => [decider]), says: /no filter held/ },
  {
    what: 'a decider behind its holder',
    adjust: arranged((decider, holder) => [holder, decider]),
    says: /sluice-holder did/,
  },
  {
    what: 'two deciders',
    adjust: arranged((decider) => [decider, decider]),
    says: /two filters .* decide|no filter held/,
  },
  {
    what: 'two deciders and a holder',
    adjust: arranged((decider, holder) => [decider, decider, holder]),
    says: /two filters .* decide/,
  },
];

describeGateway('a misconfigured pair', () => {
  let one: Scripted;
  let site: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
    site = await startScripted({ answers: { GET: status(200, 'text/plain', 'hello'), POST: status(200) } });
  });
  afterAll(() => Promise.all([one.stop(), site.stop()]));

  /** Another application answers on all other paths. */
  const besideSite =
    (adjust: Adjustment): Adjustment =>
    (bootstrap) => {
      adjust(bootstrap);
      withoutEarlyMutation(bootstrap); // as on Istio
      const [host] = connectionManager(bootstrap).route_config.virtual_hosts;
      const route = { name: 'site', match: { prefix: '/' }, route: { cluster: 'site' } };
      host.routes.push(route as unknown as (typeof host.routes)[number]);
    };
  const servers = (): { name: string; url: string }[] => [
    { name: 'one', url: one.url },
    { name: 'site', url: site.url },
  ];

  describe.each(misconfigured)('as $what', ({ adjust, says }) => {
    const gateway = useGateway(() => ({ servers: servers(), adjust: besideSite(adjust) }), says);

    it.each(
      bothProtocols.flatMap((http) =>
        ['{}', initializeMessage(), callMessage('"one_echo"', `{"t":"${'x'.repeat(100_000)}"}`)].map(
          (body) => [http, body.length, body] as const,
        ),
      ),
    )('answers a request over %s with a body of %i bytes', async (http, _, body) => {
      for (const headers of [mcpHeaders, { ...mcpHeaders, ...forged }]) {
        const answer = await send(gateway.current.url, { http, body, headers });
        expect(refusal(answer)).toMatchObject(defaultDeny);
        expect(message(answer).error?.message).toMatch(/sluice/);
      }
      expect([one.requests, site.requests]).toEqual([[], []]);
    });

    it.each(bothProtocols)(
      'lets the other application answer over %s, without headers that routes trust',
      async (http) => {
        site.forget();
        const answer = await send(`${gateway.current.origin}/`, { http, method: 'GET', headers: forged });
        expect([answer.status, answer.text]).toEqual([200, 'hello']);
        expect(site.last('GET').headers).not.toHaveProperty('x-mcp-servername');
        site.forget();
      },
    );
  });

  describe('as two holders', () => {
    const gateway = useGateway(() => ({
      servers: servers(),
      adjust: arranged((decider, holder) => [decider, holder, holder]),
    }));

    it.each(bothProtocols)('serves over %s: the second has nothing to hold', async (http) => {
      const session = await openSession(gateway.current.url, { http });
      for (const size of [0, 100_000]) {
        const answer = await session.post(callMessage('"one_echo"', `{"t":"${'x'.repeat(size)}"}`));
        expect(answer.status).toBe(200);
        expect(one.last('tools/call').body.toString()).toBe(callMessage('"echo"', `{"t":"${'x'.repeat(size)}"}`));
      }
    });
  });
});
