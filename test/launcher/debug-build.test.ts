// `npm run build -- --debug`: a module that a debugger can step through, beside the shipped one, which stays as it is.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { build } from '../../scripts/build.ts';
import { listTools } from './list-tools.ts';
import { clone, runSluice, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 });

const shipped = join(clone, 'build/plugin.wasm');
const debug = join(clone, 'build/debug/plugin.wasm');

/** Neither ES2023 nor @types/node 20 declares it. */
declare const WebAssembly: {
  readonly Module: { new (bytes: Uint8Array): object; customSections(module: object, name: string): ArrayBuffer[] };
};

function sections(file: string, name: string): string[] {
  const module = new WebAssembly.Module(readFileSync(file));
  return WebAssembly.Module.customSections(module, name).map((section) => Buffer.from(section).toString('latin1'));
}

describe('the debug build', () => {
  const before = readFileSync(shipped);
  const written = statSync(shipped).mtimeMs;

  beforeAll(async () => {
    const built = await build(clone, { debug: true });
    expect(built.debug?.file).toBe(debug);
  });

  test('leaves the shipped module alone, which has neither names nor a map', () => {
    expect(Buffer.compare(readFileSync(shipped), before)).toBe(0);
    expect(statSync(shipped).mtimeMs).toBe(written);
    expect(sections(shipped, 'name')).toEqual([]);
    expect(sections(shipped, 'sourceMappingURL')).toEqual([]);
  });

  test('has the names of its functions, and a map whose sources are files of the clone', () => {
    expect(sections(debug, 'name')[0]).toContain('filter/flow/call/beginCall');
    const [section = '', ...more] = sections(debug, 'sourceMappingURL');
    expect(more).toEqual([]);
    const url = section.slice(section.indexOf('file:'));
    expect(fileURLToPath(url)).toBe(`${debug}.map`);
    const map = JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as { sourceRoot: string; sources: string[] };
    expect(map.sources.length).toBeGreaterThan(100);
    for (const source of map.sources) expect(statSync(new URL(source, map.sourceRoot)).isFile(), source).toBe(true);
  });

  test('stops at a line of a source in the debugger of Node', async () => {
    const program = fileURLToPath(new URL('debug-build-child.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--experimental-websocket', program, debug], {
      cwd: temporaryFolder(),
    });
    expect(JSON.parse(stdout)).toEqual({
      function: '$filter/index/proxy_on_vm_start',
      source: 'filter/index.ts',
      text: 'return 1;',
    });
  });

  test('runs where SLUICE_MODULE names it', async () => {
    const args = ['start', '--json', '--engine', 'embedded', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const sluice = runSluice(args, { SLUICE_DATA_DIR: temporaryFolder(), SLUICE_MODULE: debug });
    const ready = await sluice.next();
    if (ready.event !== 'ready') throw new Error(JSON.stringify(ready));
    expect(await listTools(ready.mcp)).toContain('everything_echo');
    const digest = createHash('sha256').update(readFileSync(debug)).digest('hex');
    expect(readFileSync(ready.envoyConfig, 'utf8')).toContain(digest);
  });
});

test('SLUICE_MODULE that names no file is told', async () => {
  const sluice = runSluice(['start'], { SLUICE_MODULE: '/nowhere/plugin.wasm' });
  expect(await sluice.exited).toMatchObject({ code: 3 });
  expect(sluice.said.err).toContain('SLUICE_MODULE names no module: ENOENT');
});
