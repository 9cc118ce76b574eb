// `npm run test:matrix`: the end-to-end suite, its proofs at full length, on every Envoy that host modes are promised for.
// Takes about half an hour. `npm run test:matrix -- 1.36.2` runs one version, `--proofs` the proofs alone, `--clients`
// (which is `npm run test:clients`) the clients and servers of other languages alone, on the newest version.
// Ends with one line for each run, and `N passed, N failed`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installEnvoy, installedEnvoy } from '../envoy/engine/install.ts';
import { type HostMode, hostModes } from '../envoy/engine/suitable.ts';

const supported = ['1.36.2', '1.38.2', '1.40.0'];
const clone = fileURLToPath(new URL('..', import.meta.url));
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { proofs: { type: 'boolean', default: false }, clients: { type: 'boolean', default: false } },
});
const otherwise = values.clients ? supported.slice(-1) : supported;
const versions = positionals.length > 0 ? positionals : otherwise;

/** What is run at full length only here. */
const proofs: Record<HostMode, readonly string[]> = {
  hold: ['test/e2e/proof', 'test/e2e/real-clients/installed'],
  pair: ['test/e2e/proof', 'test/e2e/real-clients/installed', 'test/e2e/pair/updates'],
  headers: ['test/e2e/by-headers'],
};

const clients = ['test/e2e/real-clients/languages', 'test/e2e/real-servers'];

const sum = { passed: 0, failed: 0 };
const lines: string[] = [];
for (const version of versions) {
  const folder = join(clone, '.envoy');
  const installed = installedEnvoy(folder, version);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const binary = existsSync(installed) ? installed : await installEnvoy(folder, { version, progress });
  for (const mode of values.clients ? (['hold', 'pair'] as const) : hostModes) {
    const { passed, failed } = await run(binary, mode);
    sum.passed += passed;
    sum.failed += failed;
    lines.push(`Envoy ${version} ${mode.padEnd(8)} ${passed} passed, ${failed} failed`);
  }
}
process.stdout.write(`\n${lines.join('\n')}\n\n${sum.passed} passed, ${sum.failed} failed\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;

async function run(binary: string, mode: HostMode): Promise<{ passed: number; failed: number }> {
  const vitest = join(clone, 'node_modules/vitest/vitest.mjs');
  const files = values.clients ? clients : values.proofs ? proofs[mode] : [];
  const child = spawn(process.execPath, [vitest, 'run', '--project', `e2e envoy ${mode}`, ...files], {
    cwd: clone,
    env: { ...process.env, ENVOY_PATH: binary, SLUICE_PROOFS: 'full' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const counted = { passed: 0, failed: 1 }; // unless it says otherwise
  for await (const line of createInterface({ input: child.stdout })) {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed/.exec(line) ?? [];
    if (passed === undefined) process.stdout.write(`${line}\n`);
    else Object.assign(counted, { passed: Number(passed), failed: Number(failed) });
  }
  if ((await closed) !== 0 && counted.failed === 0) counted.failed = 1;
  return counted;
}
