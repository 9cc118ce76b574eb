// Filters that Rust's SDK, clang and Go made, on every engine that is there: what a client sees has to be the same.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startEmbedded } from '../../../envoy/embedded/index.ts';
import { startEnvoy } from '../../../envoy/engine/process.ts';
import type { RunningEngine } from '../../../envoy/engine/running.ts';
import { bootstrapFor } from './bootstrap.ts';

const envoy = inject('envoy');
const folder = mkdtempSync(join(tmpdir(), 'sluice-sdk-'));
const modules = {
  rust: fileURLToPath(new URL('modules/rust.wasm', import.meta.url)),
  cpp: fileURLToPath(new URL('modules/cpp.wasm', import.meta.url)),
  go: builtByGo(),
};

/** undefined where there is no toolchain that could. */
function builtByGo(): string | undefined {
  const file = join(folder, 'go.wasm');
  const args = ['build', '-trimpath', '-buildmode=c-shared', '-ldflags=-s -w', '-o', file, '.'];
  try {
    const env = { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
    execFileSync('go', args, { cwd: fileURLToPath(new URL('go', import.meta.url)), env, stdio: 'pipe' });
    return file;
  } catch (error) {
    process.stderr.write(
      `\n*** The filter in Go is not tested: ${(error as Error).message.split('\n')[0] ?? ''} ***\n`,
    );
    return undefined;
  }
}

describe.each(['envoy', 'embedded'] as const)('on the engine %s', (name) => {
  let upstream: Server;
  let engine: RunningEngine;
  let origin: (module: keyof typeof modules) => string;

  beforeAll(async () => {
    if (name === 'envoy' && envoy === null) return;
    upstream = createServer((request, response) => {
      response.end(request.url === '/callout' ? 'called' : `answer: ${String(request.headers['x-answer'])}`);
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const config = bootstrapFor(modules, (upstream.address() as AddressInfo).port);
    engine =
      name === 'embedded'
        ? await startEmbedded({ config, concurrency: 2 })
        : await startEnvoy({ binary: envoy?.path ?? '', config, concurrency: 2 });
    origin = (module) => `http://${engine.listeners.get(module) ?? ''}/`;
  });
  afterAll(async () => {
    if (name === 'envoy' && envoy === null) return;
    await engine.stop();
    upstream.close();
    upstream.closeAllConnections();
  });

  const test = it.skipIf(name === 'envoy' && envoy === null);

  test('Rust: configuration, a callout that holds the request, shared data, a body rewritten', async () => {
    const answers = [await fetch(origin('rust')), await fetch(origin('rust'))];
    expect(answers.map(({ headers }) => headers.get('x-greeting'))).toEqual(['hello', 'hello']);
    expect(answers.map(({ headers }) => Number(headers.get('x-count')))).toEqual([1, 2]);
    for (const answer of answers) expect(await answer.text()).toBe('rust:answer: called');
    expect(engine.log()).toContain('configured: hello');
  });

  test('Rust: a reply of its own', async () => {
    const answer = await fetch(origin('rust'), { headers: { 'x-refuse': '1' } });
    expect([answer.status, answer.headers.get('x-greeting'), await answer.text()]).toEqual([
      403,
      'hello',
      'rust:refused',
    ]);
  });

  test('C++: constructors before the first callback, virtual calls', async () => {
    expect((await fetch(origin('cpp'))).headers.get('x-cpp')).toBe('c++');
    expect(engine.log()).toContain('configured by C++');
  });

  it.skipIf((name === 'envoy' && envoy === null) || modules.go === undefined)(
    'Go: its runtime, clock and randomness',
    async () => {
      expect((await fetch(origin('go'))).headers.get('x-go')).toBe(`${new Date().getUTCFullYear()} 8`);
      expect(engine.log()).toContain('configured by Go');
    },
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});
