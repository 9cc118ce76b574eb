import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPlugin } from '../../envoy/check/plugin.ts';
import { plugin } from '../embedded/wasm/assemble.ts';

const root = new URL('../../', import.meta.url);
const sluice = readFileSync(new URL('build/plugin.wasm', root));
const minimal = { servers: [{ name: 'weather', cluster: 'weather' }] };

/** A module whose on_configure is this. */
const configuring = (body: string): Uint8Array =>
  plugin(`(func (export "proxy_on_configure") (param i32 i32) (result i32) ${body})`);

test('a good configuration has no problem', async () => {
  expect(await checkPlugin(sluice, minimal)).toEqual([]);
});

test('every problem is told at once, with path and what was meant', async () => {
  const configuration = {
    endpont: '/mcp',
    servers: [{ name: 'weather', cluster: 'weather', prefx: 'w_' }, { name: 'notes' }],
  };
  expect(await checkPlugin(sluice, configuration)).toEqual([
    { path: 'endpont', message: expect.stringContaining('did you mean "endpoint"?') as string, severity: 'error' },
    {
      path: 'servers[0].prefx',
      message: expect.stringContaining('did you mean "prefix"?') as string,
      severity: 'error',
    },
    { path: 'servers[1].cluster', message: 'is missing', severity: 'error' },
  ]);
});

test('a member whose name looks like a path keeps it', async () => {
  const problems = await checkPlugin(sluice, { ...minimal, 'a: b[0].c': 1 });
  expect(problems.map(({ path }) => path)).toEqual(['a: b[0].c']);
});

test('secrets that are not here are stood in for; those that are given are looked at', async () => {
  const configuration = {
    sessions: { keys: [{ id: 1, env: 'KEY' }] },
    servers: [{ ...minimal.servers[0], credentials: { type: 'header', header: 'x-api-key', env: 'TOKEN' } }],
  };
  expect(await checkPlugin(sluice, configuration)).toEqual([]);
  const [problem] = await checkPlugin(sluice, configuration, { environment: { KEY: 'short' } });
  expect(problem).toMatchObject({ path: 'sessions.keys[0].env', severity: 'error' });
});

test.each([
  ['nothing', new Uint8Array(0), 'none that Envoy could run'],
  ['text', Buffer.from('<html>'), 'none that Envoy could run'],
  ['half a module', sluice.subarray(0, 50_000), 'none that Envoy could run'],
  ['another module that accepts', readFileSync(new URL('build/probe.wasm', root)), 'not Sluice'],
  ['another module that refuses', configuring('(i32.const 0)'), 'is for Sluice, and the module is another one'],
  ['a trap', configuring('unreachable'), 'failed while it read it'],
  ['a loop for ever', configuring('(loop (br 0)) (i32.const 1)'), 'did not come to an end within 200 ms'],
])('of a module that is %s the problem is said', async (_, module, said) => {
  const problems = await checkPlugin(module, minimal, { timeLimit: 200 });
  expect(problems).toEqual([{ path: '', message: expect.stringContaining(said) as string, severity: 'error' }]);
});

test('a module cannot take more memory than it is given', async () => {
  // Grows by 128 MiB until that fails; traps where it never does.
  const hungry = configuring(`
    (local i32)
    (loop (local.set 2 (i32.add (local.get 2) (i32.const 1)))
      (if (i32.gt_u (local.get 2) (i32.const 4)) (then unreachable))
      (br_if 0 (i32.ne (memory.grow (i32.const 2048)) (i32.const -1))))
    (i32.const 0)`);
  const [problem] = await checkPlugin(hungry, minimal);
  expect(problem?.message).toContain('another one');
});

test('a configuration that is no JSON value is a problem, not an exception', async () => {
  const cyclic: Record<string, unknown> = { ...minimal };
  cyclic['servers'] = [cyclic];
  expect(await checkPlugin(sluice, cyclic)).toHaveLength(1);
  expect(await checkPlugin(sluice, [])).not.toEqual([]);
});

test('whatever the configuration is, there is an answer', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.object({ maxDepth: 3 }), async (configuration) => {
      const problems = await checkPlugin(sluice, configuration);
      expect(problems.some(({ severity }) => severity === 'error')).toBe(true);
    }),
    { numRuns: 15 },
  );
});
