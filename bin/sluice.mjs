#!/usr/bin/env node
// Checked in and in need of no build: npm caches the link of a bin that was missing once, and stays broken.
import { ensureInstalled } from '../scripts/install.mjs';

ensureInstalled();
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('../cli/main.ts');
process.exitCode = await main(process.argv.slice(2));
