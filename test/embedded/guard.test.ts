// The engine ends where a module does what Envoy does not accept, and says what that was. The guard is raised here by hand.
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { notAccepted } from '../../proxy-wasm/host-assertion.ts';
import { startEmbedded } from '../../envoy/embedded/index.ts';
import { StreamContext } from '../../envoy/embedded/wasm/stream-context.ts';
import { probeBootstrap } from './probe/bootstrap.ts';

const module = fileURLToPath(new URL('../../build/probe.wasm', import.meta.url));

afterEach(() => {
  vi.restoreAllMocks();
});

test('a guard ends the engine, its requests, and says why', async () => {
  const ports = { one: 1, two: 1, h2: 1, refused: 1 };
  const engine = await startEmbedded({
    config: probeBootstrap(module, [{ name: 'l0', setup: { filters: [{ root_id: 'a' }] } }], ports),
    concurrency: 1,
  });
  vi.spyOn(StreamContext.prototype, 'buffer').mockImplementation(() => {
    throw notAccepted('a test says so');
  });
  const request = fetch(`http://${engine.listeners.get('l0') ?? ''}/ok`, {
    method: 'POST',
    body: 'aaaa',
    headers: { 'x-case': 'guard', 'x-probe': 'body: read body' },
  });
  await expect(request).rejects.toThrow();
  expect(await engine.exited).toEqual({ code: 1, signal: null });
  expect(engine.log()).toMatch(/\[critical\]\[assert\].*outside what Envoy accepts: a test says so/);
  await engine.stop();
});
