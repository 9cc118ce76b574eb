import type { Bootstrap } from './render/bootstrap.ts';
import { checkEmbedded, reproducedVersion, startEmbedded } from './embedded/index.ts';
import { readOnlyAdmin } from './engine/admin.ts';
import { checkConfiguration } from './engine/check.ts';
import { type EnvoyBinary, findEnvoy } from './engine/find.ts';
import { type Obtain, obtainEnvoy } from './engine/obtain.ts';
import { startEnvoy } from './engine/process.ts';
import type { RunningEngine } from './engine/running.ts';

export const engineChoices = ['auto', 'envoy', 'embedded'] as const;
export type EngineChoice = (typeof engineChoices)[number];

interface Launch {
  /** The file of a bootstrap. */
  readonly config: string;
  readonly logFile: string;
  /** Workers. */
  readonly concurrency: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** What runs the module. */
export interface Engine {
  /** `envoy 1.40.0`, `embedded (as envoy 1.40.0)` */
  readonly title: string;
  /** Why it is this one, and how to have the other. */
  readonly reason: string;
  /**
   * The bootstrap as this engine is to run it: with an admin interface that obeys no web page.
   * @param pipe where a socket may be, should the engine need one: a path of at most 100 bytes
   */
  prepare(bootstrap: Bootstrap, pipe: string): object;
  /**
   * Checks a bootstrap without opening a port.
   * @param module a file in the place of the remote code
   * @throws EngineError
   */
  check(config: object, module: string, env: Readonly<Record<string, string>>): Promise<void>;
  /** @throws EngineError */
  start(launch: Launch): Promise<RunningEngine>;
}

/**
 * Chooses what runs the module. `auto` takes a real Envoy where there is one and never downloads; `envoy` installs one
 * where there is none.
 * @throws EngineError where ENVOY_PATH names an Envoy that cannot run the module, or none can be installed
 */
export async function chooseEngine(choice: EngineChoice, options: Obtain): Promise<Engine> {
  if (choice === 'embedded') return embedded('--engine auto takes a real Envoy where one is found');
  if (choice === 'envoy') return real(await obtainEnvoy(options), 'as --engine envoy asks for');
  const { envoy, rejected } = await findEnvoy(options);
  if (envoy !== undefined) return real(envoy, 'found on this machine; --engine embedded does without');
  for (const line of rejected) options.progress(`passing over ${line}`);
  return embedded('no Envoy was found; --engine envoy installs one');
}

function real({ path, version }: EnvoyBinary, reason: string): Engine {
  return {
    title: `envoy ${version}`,
    reason,
    prepare: readOnlyAdmin,
    check: (config, module, env) => checkConfiguration({ binary: path, config, module, env }),
    start: (launch) => startEnvoy({ ...launch, binary: path }),
  };
}

function embedded(reason: string): Engine {
  return {
    title: `embedded (as envoy ${reproducedVersion})`,
    reason,
    prepare: (bootstrap) => bootstrap, // its admin interface changes nothing
    check: (config, module, env) => checkEmbedded({ config, module, env }),
    start: startEmbedded,
  };
}
