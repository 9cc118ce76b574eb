import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { type EnvoyBinary, findEnvoy } from '../envoy/engine/find.ts';
import { obtainEnvoy } from '../envoy/engine/obtain.ts';
import { build } from '../scripts/build.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The Envoy that tests run; null where there is none, and tests that need one are skipped. */
    envoy: EnvoyBinary | null;
  }
}

/** Once before all tests: the module is built, an Envoy found or installed. */
export default async function setup(project: TestProject): Promise<void> {
  await build();
  project.provide('envoy', await envoyForTests());
}

async function envoyForTests(): Promise<EnvoyBinary | null> {
  const progress = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const folder = fileURLToPath(new URL('../.envoy', import.meta.url));
  const search = { env: process.env, folder, mode: 'hold', progress } as const;
  if (envoyIsRequired(process.env)) return obtainEnvoy(search);
  const { envoy, rejected } = await findEnvoy(search);
  if (envoy !== undefined) return envoy;
  for (const line of rejected) progress(`passing over ${line}`);
  progress(
    '\n*** No Envoy was found: tests run on the embedded engine alone, those that need a real Envoy are SKIPPED. ***\n' +
      '*** SLUICE_REQUIRE_ENVOY=1 installs one into .envoy/ and runs them all. ***\n',
  );
  return null;
}

/** In CI a run without Envoy proves too little to be called green. */
function envoyIsRequired(env: NodeJS.ProcessEnv): boolean {
  return (env['CI'] ?? '') !== '' || env['SLUICE_REQUIRE_ENVOY'] === '1';
}
