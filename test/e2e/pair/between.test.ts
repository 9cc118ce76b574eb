// A filter between the two that keeps the headers for a while, as one that asks somebody would: the decision may fall
// before the holder has heard of the request.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from '../clients/answers.ts';
import { bothProtocols } from '../clients/raw.ts';
import { callMessage, openSession } from '../clients/session.ts';
import { framings, upload } from '../clients/upload.ts';
import { engine } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { until } from '../until.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';
import { type WasmFilter, apart, httpFilters } from './filters.ts';

/** Envoy's own: keeps every request for 100 ms. */
const pausing = {
  name: 'pause',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
    delay: { fixed_delay: '0.1s', percentage: { numerator: 100 } },
  },
} as unknown as WasmFilter;

// The embedded engine has no filter that pauses.
describe.skipIf(engine?.name !== 'envoy')('a filter that pauses between the two', () => {
  let one: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => one.stop());

  describe.each([
    ['in one VM', false],
    ['in two VMs', true],
  ] as const)('%s', (_, inTwo) => {
    const gateway = useGateway(() => ({
      servers: [{ name: 'one', url: one.url }],
      adjust: (bootstrap) => {
        if (inTwo) apart(bootstrap);
        httpFilters(bootstrap).splice(1, 0, pausing);
      },
    }));

    describe.each(bothProtocols)('over %s', (http) => {
      it.each([0, 1000, 60_000, 300_000])('serves a call with %i bytes of arguments', async (size) => {
        const session = await openSession(gateway.current.url, { http });
        const args = `{"text":"${'x'.repeat(size)}"}`;
        const answers = await Promise.all([1, 2, 3, 4].map(() => session.post(callMessage('"one_echo"', args))));
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
        expect(one.last('tools/call').body.equals(Buffer.from(callMessage('"echo"', args)))).toBe(true);
      });

      it('serves a call with trailers', async () => {
        const session = await openSession(gateway.current.url, { http });
        const answer = await session.post(callMessage('"one_echo"'), {
          withoutLength: true,
          trailers: { 'x-end': '1' },
        });
        expect(answer.status).toBe(200);
        expect(one.last('tools/call').body.toString()).toBe(callMessage('"echo"'));
      });

      it('refuses as ever', async () => {
        const session = await openSession(gateway.current.url, { http });
        expect(refusal(await session.post(callMessage('"none"')))).toMatchObject({ reason: 'unknown_tool' });
      });
    });

    it.each(framings)('leaves nothing behind of a client that goes away meanwhile, over %s', async (framing) => {
      const session = await openSession(gateway.current.url);
      const text = callMessage('"one_echo"', `{"text":"${'x'.repeat(100_000)}"}`);
      const headers = { 'mcp-session-id': session.id };
      const sent = upload(gateway.current.url, { framing, headers, size: text.length });
      await sent.write(Buffer.from(text));
      sent.leave();
      await until('nothing is held', async () => {
        const stats = await gateway.current.stats();
        return stats.get('http.mcp.downstream_rq_active') === 0;
      });
    });
  });
});

/** Envoy's own: keeps the whole of a body, and adds its length where the request has none. */
const keeping = {
  name: 'keep',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer',
    max_request_bytes: 1_000_000,
  },
} as unknown as WasmFilter;

describe.skipIf(engine?.name !== 'envoy')('a filter that keeps whole bodies between the two', () => {
  let one: Scripted;
  beforeAll(async () => {
    one = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => one.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'one', url: one.url }],
    adjust: (bootstrap) => {
      httpFilters(bootstrap).splice(1, 0, keeping);
    },
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it.each([
      [10, false],
      [10, true],
      [300_000, false],
      [300_000, true],
    ])('serves a call with %i bytes of arguments, without a length: %s', async (size, withoutLength) => {
      const session = await openSession(gateway.current.url, { http });
      const args = `{"text":"${'x'.repeat(size)}"}`;
      const answer = await session.post(callMessage('"one_echo"', args), { withoutLength });
      expect(answer.status).toBe(200);
      expect(one.last('tools/call').body.toString()).toBe(callMessage('"echo"', args));
    });
  });
});
