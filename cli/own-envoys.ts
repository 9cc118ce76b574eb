import { existsSync, readFileSync } from 'node:fs';
import { bundled } from '../bundle/names.ts';
import { parseManifest } from '../bundle/manifest.ts';
import { ownFile } from '../common/home.ts';
import type { HeldEnvoy } from '../plugin-server/index.ts';

/** The Envoys that came in the bundle which this folder was loaded of; a clone and a package have none. */
export function ownEnvoys(): readonly HeldEnvoy[] {
  const manifest = ownFile(bundled.manifest);
  if (!existsSync(manifest)) return [];
  const { envoys } = parseManifest(readFileSync(manifest, 'utf8'));
  return envoys.map(({ path, ...envoy }) => ({ ...envoy, file: ownFile(path) }));
}
