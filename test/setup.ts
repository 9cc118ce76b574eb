import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import type { EnvoyBinary } from '../envoy/engine/find.ts';
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
  try {
    const folder = fileURLToPath(new URL('../.envoy', import.meta.url));
    return await obtainEnvoy({ env: process.env, folder, mode: 'hold', progress });
  } catch (error) {
    if (envoyIsRequired(process.env)) throw error;
    progress(`\n*** No Envoy: every test that needs one is SKIPPED. ${(error as Error).message} ***\n`);
    return null;
  }
}

/** In CI a run without Envoy proves too little to be called green. */
function envoyIsRequired(env: NodeJS.ProcessEnv): boolean {
  return (env['CI'] ?? '') !== '' || env['SLUICE_REQUIRE_ENVOY'] === '1';
}
