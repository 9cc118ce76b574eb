#!/usr/bin/env node
// Checked in and in need of no build: npm caches the link of a bin that was missing once, and stays broken.
import { existsSync } from 'node:fs';
import { requireNode } from '../common/node-version.mjs';

requireNode();
// A clone runs its sources, an installed package what was compiled of them.
const isClone = existsSync(new URL('../cli/main.ts', import.meta.url));
if (isClone) {
  const { ensureInstalled } = await import('../scripts/install.mjs');
  await ensureInstalled();
  const { requireTemporaryFolder } = await import('../common/temporary-folder.mjs');
  requireTemporaryFolder();
  const { register } = await import('tsx/esm/api');
  register();
}
const { main } = await import(isClone ? '../cli/main.ts' : '../dist/cli/main.js');
process.exitCode = await main(process.argv.slice(2));
