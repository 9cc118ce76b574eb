import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { ModuleThread } from '../../envoy/check/isolation.ts';
import { type Problem, checkPlugin, checkPluginText } from '../../envoy/check/plugin.ts';
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

test('a module cannot fill the host with what it shares', async () => {
  const sharing = plugin(
    `(func (export "proxy_on_configure") (param i32 i32) (result i32)
       (loop (drop (call $share (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 131072) (i32.const 0))) (br 0))
       (i32.const 1))`,
    '(import "env" "proxy_set_shared_data" (func $share (param i32 i32 i32 i32 i32) (result i32)))',
  );
  const [problem] = await checkPlugin(sharing, minimal);
  expect(problem?.message).toContain('it shares more than 67108864 bytes');
});

test('a module that logs without an end is heard for a while', async () => {
  const chatty = plugin(
    `(func (export "proxy_on_configure") (param i32 i32) (result i32)
       (loop (drop (call $log (i32.const 4) (i32.const 0) (i32.const 131072))) (br 0))
       (i32.const 1))`,
    '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))',
  );
  const [problem] = await checkPlugin(chatty, minimal, { timeLimit: 200 });
  expect(problem?.message).toContain('did not come to an end within 200 ms; its last words');
});

test('one thread answers again and again, and a new one where the last was ended', async () => {
  const thread = new ModuleThread();
  onTestFinished(() => thread.close());
  const forEver = configuring('(loop (br 0)) (i32.const 1)');
  const ask = (module: Uint8Array): Promise<Problem[]> =>
    checkPluginText(thread, module, JSON.stringify(minimal), { timeLimit: 2_000 });
  expect(await ask(sluice)).toEqual([]);
  expect(await ask(sluice)).toEqual([]);
  expect(await ask(forEver)).toHaveLength(1);
  expect(await ask(sluice)).toEqual([]);
});

test('a configuration that is no JSON value is a problem, not an exception', async () => {
  const cyclic: Record<string, unknown> = { ...minimal };
  cyclic['servers'] = [cyclic];
  expect(await checkPlugin(sluice, cyclic)).toHaveLength(1);
  expect(await checkPlugin(sluice, [])).not.toEqual([]);
});

test('whatever the configuration is, there is an answer', async () => {
  const thread = new ModuleThread();
  onTestFinished(() => thread.close());
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.object({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
        fc.string(),
        fc.json(),
      ),
      async (text) => {
        const problems = await checkPluginText(thread, sluice, text);
        expect(problems.some(({ severity }) => severity === 'error')).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});
