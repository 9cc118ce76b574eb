import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { type EnvoyBinary, findEnvoy } from '../envoy/engine/find.ts';
import { obtainEnvoy } from '../envoy/engine/obtain.ts';
import { build } from '../scripts/build.ts';
import { compileEmbedded } from './e2e/compile-embedded.ts';
import { hasJava } from './nacos/nacos.ts';
import { type ModuleSource, startModuleServer } from './module-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The Envoy that tests run; null where there is none, and tests that need one are skipped. */
    envoy: EnvoyBinary | null;
    /** Whether a real Nacos can be run. */
    nacos: boolean;
    /** Of a plugin server that has the module which was built, for all gateways of the end-to-end suite. */
    module: ModuleSource;
  }
}

/** Once before all tests: the module is built, an Envoy found or installed. @returns what ends it */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  await build();
  project.provide('envoy', await envoyForTests());
  project.provide('nacos', nacosForTests(project.name));
  if (project.name === 'unit') return undefined;
  if (project.name.includes('embedded')) await compileEmbedded();
  const server = await startModuleServer();
  project.provide('module', server.source);
  return server.stop;
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

function nacosForTests(project: string): boolean {
  if (hasJava()) return true;
  if ((process.env['CI'] ?? '') !== '') throw new Error('tests with a real Nacos need a JDK (17 or later) and Maven');
  if (project === 'unit') {
    const loud = 'No JDK and Maven were found: tests with a real Nacos are SKIPPED.';
    process.stderr.write(`\n*** ${loud} ***\n\n`);
  }
  return false;
}

/** In CI a run without Envoy proves too little to be called green. */
function envoyIsRequired(env: NodeJS.ProcessEnv): boolean {
  return (env['CI'] ?? '') !== '' || env['SLUICE_REQUIRE_ENVOY'] === '1';
}
