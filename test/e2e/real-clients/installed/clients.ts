// Clients that are too large, or draw in too much, to be dependencies of this package. Their packages ask for Node 22; what
// is used of them here runs on Node 20 too.
import { execFile } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { npmPackages, unlessUnreachable } from '../../installed.ts';

const packages = ['@modelcontextprotocol/inspector@2.12.0', '@ai-sdk/mcp@2.0.99'];
const inspector = 'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js';
const script = fileURLToPath(new URL('ai-sdk.mjs', import.meta.url));

const run = promisify(execFile);

const folder = (await unlessUnreachable('Inspector and @ai-sdk/mcp', npmPackages(packages))) ?? '';
export const areInstalled = folder !== '';

/** The Inspector's command line. @param options `--method`, `tools/list`, … @returns the result that it prints */
export async function inspect(url: string, ...options: string[]): Promise<unknown> {
  const target = ['--cli', url, '--transport', 'http', '--format', 'json'];
  const { stdout } = await node([join(folder, inspector), ...target, ...options]);
  return (JSON.parse(stdout) as { result: unknown }).result;
}

/** What `ai-sdk.mjs` prints. */
export async function converseWithAiSdk(url: string): Promise<unknown> {
  const copy = join(folder, 'ai-sdk.mjs'); // beside the packages that it imports
  copyFileSync(script, copy);
  const { stdout } = await node([copy, url]);
  return JSON.parse(stdout);
}

function node(args: readonly string[]): Promise<{ stdout: string }> {
  return run(process.execPath, [...args], { cwd: folder, env: { HOME: folder } });
}
