import { EngineError } from '../../common/engine-error.ts';
import { type EnvoyBinary, type Search, findEnvoy } from './find.ts';
import { installEnvoy } from './install.ts';

export interface Obtain extends Search {
  /** Gets what was passed over, and the steps of an installation; a line each. */
  readonly progress: (line: string) => void;
  /** Ends an installation. */
  readonly signal?: AbortSignal;
}

/**
 * Finds an Envoy, or installs the pinned one into `folder` of the clone.
 * @throws EngineError where there is none and none can be installed
 */
export async function obtainEnvoy(options: Obtain): Promise<EnvoyBinary> {
  const { envoy, rejected } = await findEnvoy(options);
  if (envoy !== undefined) return envoy;
  for (const line of rejected) options.progress(`passing over ${line}`);
  const path = await installEnvoy(options.folder, options);
  const installed = await findEnvoy({ ...options, env: { ENVOY_PATH: path } });
  if (installed.envoy === undefined) throw new EngineError(`${path} was installed and is gone`);
  return installed.envoy;
}
