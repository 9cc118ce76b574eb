// Packages that tests run and this project does not depend on: installed, at fixed versions, from the registry of their
// language into the folder for temporary files, once for a machine as long as it keeps that folder.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const limits = { timeout: 300_000, maxBuffer: 16 << 20 };

/** Installs packages of npm. @param packages `name@version` @returns the folder that has their node_modules */
export function npmPackages(packages: readonly string[]): Promise<string> {
  return installedOnce(['npm', ...packages], async (folder) => {
    const quick = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--loglevel=error', '--fetch-retries=1'];
    await run('npm', ['install', ...quick, '--fetch-retry-mintimeout=1000', '--prefix', folder, ...packages], limits);
  });
}

/** Installs packages of PyPI. @param packages `name==version` @returns the Python that has them */
export async function pythonPackages(packages: readonly string[]): Promise<string> {
  const python = (folder: string): string => join(folder, 'bin/python');
  const folder = await installedOnce(['python', ...packages], async (folder) => {
    // The pip of the machine fills the environment: to put one into it takes longer than the packages.
    await run('python3', ['-m', 'venv', '--without-pip', folder], limits);
    const pip = ['-m', 'pip', '--python', python(folder), '--quiet', '--disable-pip-version-check', '--retries=1'];
    await run('python3', [...pip, 'install', ...packages], limits);
  });
  return python(folder);
}

/**
 * What an installation gives; undefined where it fails, as without a network: that is said aloud, and the tests that need it
 * are to be skipped.
 * @throws Error in CI, where a run without them proves too little
 */
export async function unlessUnreachable<T>(what: string, installation: Promise<T>): Promise<T | undefined> {
  try {
    return await installation;
  } catch (error) {
    const reason = `${what} could not be installed from the registry: ${(error as Error).message.trim()}`;
    if (inContinuousIntegration()) throw new Error(reason, { cause: error });
    process.stderr.write(`\n*** ${reason}\n*** The tests of it are SKIPPED. ***\n\n`);
    return undefined;
  }
}

/** Whether what is missing fails a run, rather than that its tests are skipped. */
export function inContinuousIntegration(): boolean {
  return (process.env['CI'] ?? '') !== '';
}

/** A folder appears under its name when it is whole, so it does not matter that several workers of a run install at once. */
async function installedOnce(name: readonly string[], install: (folder: string) => Promise<void>): Promise<string> {
  const parent = join(tmpdir(), 'sluice-installed');
  const whole = join(parent, name.join(' ').replaceAll(/[^\w.=-]+/g, '-'));
  if (existsSync(whole)) return whole;
  mkdirSync(parent, { recursive: true });
  const unfinished = mkdtempSync(join(parent, 'unfinished-'));
  try {
    await install(unfinished);
    renameSync(unfinished, whole);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(whole)) throw error;
  }
  return whole;
}
