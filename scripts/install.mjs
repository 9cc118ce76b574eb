// Installs the dependencies where they are missing or older than the lockfile. Runs before any of them can be imported,
// so that `npm start`, `npm test` and `npx sluice` each work on a fresh clone with nothing else typed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requireNode } from '../common/node-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What asks for the end: Ctrl-C, a supervisor, a terminal that closes. */
const endSignals = ['SIGHUP', 'SIGINT', 'SIGTERM'];

/** npm writes a copy of the lockfile's packages into node_modules: equal entries mean an up-to-date tree. */
function packages(file) {
  try {
    const { packages } = JSON.parse(readFileSync(new URL(file, new URL('..', import.meta.url)), 'utf8'));
    return Object.fromEntries(Object.entries(packages).filter(([name]) => name !== ''));
  } catch {
    return undefined;
  }
}

export async function ensureInstalled() {
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
  const failure = await failureOf('npm', ['ci', ...options]);
  if (failure !== undefined) {
    console.error(`npm ci failed (${failure}); see its message above`);
    process.exit(3);
  }
}

/**
 * Runs a program in the clone. A signal that asks for the end is passed on to it and to all that it has started; this process
 * ends by the same signal then, when the program has ended.
 * @returns why it failed, undefined where it did not
 */
async function failureOf(program, args) {
  const isWindows = process.platform === 'win32';
  // A group of its own: a signal for this process alone would leave what npm runs behind.
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 2, 2], shell: isWindows, detached: !isWindows });
  let asked;
  const passOn = (signal) => {
    asked ??= signal;
    try {
      if (isWindows) child.kill(signal);
      else process.kill(-child.pid, signal);
    } catch {
      // It has just ended.
    }
  };
  for (const signal of endSignals) process.on(signal, passOn);
  const failure = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  for (const signal of endSignals) process.off(signal, passOn);
  if (asked === undefined) return failure;
  process.kill(process.pid, asked);
  return await new Promise(() => undefined);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureInstalled();
