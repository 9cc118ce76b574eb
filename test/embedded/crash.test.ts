// Where a module would make Envoy crash, the embedded engine ends as well, and says what the module did.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startEmbedded } from '../../envoy/embedded/index.ts';
import { probeBootstrap } from './probe/bootstrap.ts';

const module = fileURLToPath(new URL('../../build/probe.wasm', import.meta.url));

test.each([
  [
    'a stream is resumed that has not stopped',
    'headers: continue request; return 0',
    /continues although it has not stopped/,
  ],
  [
    'a body is touched whose chunk is gone',
    'headers: return 1\nbody: enqueue; return 2\nqueue: use a; read body',
    /freed memory/,
  ],
])('%s', async (_, script, said) => {
  const filter = { root_id: 'a', allow_on_headers_stop_iteration: true };
  const ports = { one: 1, two: 1, h2: 1, refused: 1 };
  const engine = await startEmbedded({
    config: probeBootstrap(module, [{ name: 'l0', setup: { filters: [filter] } }], ports),
    concurrency: 1,
  });
  const request = fetch(`http://${engine.listeners.get('l0') ?? ''}/ok`, {
    method: 'POST',
    body: 'aaaa',
    headers: { 'x-case': 'crash', 'x-probe': script.replaceAll('\n', '\t') },
  });
  await expect(request).rejects.toThrow();
  expect(await engine.exited).toEqual({ code: null, signal: 'SIGABRT' });
  expect(engine.log()).toMatch(/\[critical\]\[assert\].*Envoy /);
  expect(engine.log()).toMatch(said);
  await engine.stop();
});
