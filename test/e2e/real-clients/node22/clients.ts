// Clients that need Node 22, and a Node 22 to run them: 210 MB, so they are installed for the long form of the proofs only,
// into a folder of their own. As a dependency of this package that Node would stand before the user's own in npm scripts.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const versions = { node: '22.23.3', '@modelcontextprotocol/inspector': '2.12.0', '@ai-sdk/mcp': '2.0.99' };
const folder = join(tmpdir(), `sluice-clients-${Object.values(versions).join('-')}`);
const modules = join(folder, 'node_modules');
const inspector = join(modules, '@modelcontextprotocol/inspector/clients/launcher/build/index.js');
const script = fileURLToPath(new URL('ai-sdk.mjs', import.meta.url));

const run = promisify(execFile);

/** Once for a machine, as long as it keeps its folder of temporary files. */
export async function installClients(): Promise<void> {
  const installed = join(folder, 'installed');
  if (existsSync(installed)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{}');
  const packages = Object.entries(versions).map(([name, version]) => `${name}@${version}`);
  await run('npm', ['install', '--no-audit', '--no-fund', ...packages], { cwd: folder });
  writeFileSync(installed, '');
}

/** The Inspector's command line. @param options `--method`, `tools/list`, … @returns the result that it prints */
export async function inspect(url: string, ...options: string[]): Promise<unknown> {
  const target = ['--cli', url, '--transport', 'http', '--format', 'json'];
  const { stdout } = await onNode22([inspector, ...target, ...options]);
  return (JSON.parse(stdout) as { result: unknown }).result;
}

/** What `ai-sdk.mjs` prints. */
export async function converseWithAiSdk(url: string): Promise<unknown> {
  const copy = join(folder, 'ai-sdk.mjs'); // beside the packages that it imports
  copyFileSync(script, copy);
  const { stdout } = await onNode22([copy, url]);
  return JSON.parse(stdout);
}

function onNode22(args: readonly string[]): Promise<{ stdout: string }> {
  return run(join(modules, 'node/bin/node'), [...args], { cwd: folder, env: { HOME: folder } });
}
