// Installs the dependencies where they are missing or older than the lockfile. Runs before any of them can be imported,
// so that `npm start`, `npm test` and `npx sluice` each work on a fresh clone with nothing else typed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requireNode } from '../common/node-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** npm writes a copy of the lockfile's packages into node_modules: equal entries mean an up-to-date tree. */
function packages(file) {
  try {
    const { packages } = JSON.parse(readFileSync(new URL(file, new URL('..', import.meta.url)), 'utf8'));
    return Object.fromEntries(Object.entries(packages).filter(([name]) => name !== ''));
  } catch {
    return undefined;
  }
}

export function ensureInstalled() {
  requireNode();
  const wanted = packages('package-lock.json') ?? {};
  const installed = packages('node_modules/.package-lock.json');
  const current = Object.entries(wanted).every(
    ([name, entry]) => entry.optional === true || installed?.[name]?.version === entry.version,
  );
  if (current) return;
  console.error('installing dependencies (npm ci) …');
  // The lockfile has digests: what npm has kept is as good as what it would fetch, and there without a network.
  // stdout belongs to the command that follows: `start --json` promises events and nothing else there.
  // A clone builds the module, whatever NODE_ENV says of development.
  const options = ['--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', ['ci', ...options], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error(`npm ci failed (${npm.error?.message ?? `exit code ${npm.status}`}); see its message above`);
    process.exit(3);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureInstalled();
