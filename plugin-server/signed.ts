import type { Artifact } from './artifact.ts';
import type { Signed } from './metadata.ts';
import type { Trust } from './publish/trust.ts';
import type { ArtifactStore } from './store/artifact-store.ts';

/** What is known of the signature of an artifact; undefined where it has none. */
export function signed(store: ArtifactStore, trust: Trust, artifact: Artifact): Signed | undefined {
  const signature = store.signature(artifact);
  if (signature === undefined) return undefined;
  const by = trust.signer(artifact, signature);
  return by === undefined ? {} : { by };
}
