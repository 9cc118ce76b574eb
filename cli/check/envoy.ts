import { join } from 'node:path';
import { standIns } from '../../envoy/check/plugin.ts';
import { checkConfiguration } from '../../envoy/engine/check.ts';
import { EngineError } from '../../common/engine-error.ts';
import { findEnvoy } from '../../envoy/engine/find.ts';
import { workFolder } from '../../common/home.ts';
import { CommandError } from '../io.ts';

const folder = join(workFolder(), '.envoy');

/**
 * Finds an Envoy that judges bootstraps.
 * @param module the file that stands in for remote code
 * @throws CommandError where there is none
 */
export async function envoyJudge(
  module: string,
  env: NodeJS.ProcessEnv,
): Promise<(bootstrap: object) => Promise<string | undefined>> {
  const { envoy, rejected } = await findEnvoy({ env, folder, mode: 'hold' });
  if (envoy === undefined) {
    throw new CommandError(
      `--envoy: no Envoy was found; name one in ENVOY_PATH, or install one into .envoy with "sluice start --engine envoy"`,
      undefined,
      rejected,
    );
  }
  return async (bootstrap) => {
    const variables = { ...standIns(passedVariables(bootstrap)), ...env };
    try {
      await checkConfiguration({ binary: envoy.path, config: bootstrap, module, env: definedIn(variables) });
      return undefined;
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind !== 'configuration') throw error;
      return [`Envoy ${envoy.version}: ${error.message}`, ...error.details].join('; ');
    }
  };
}

function passedVariables(bootstrap: object): string[] {
  const names: string[] = [];
  JSON.stringify(bootstrap, (key, value: unknown) => {
    if (/^host_?[eE]nv_?[kK]eys$/.test(key) && Array.isArray(value))
      names.push(...value.filter((name) => typeof name === 'string'));
    return value;
  });
  return names;
}

function definedIn(variables: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value = '']) => [name, value]));
}
