// The VM of a filter that brings its module along in its configuration.
import { shortDigest } from '../../common/short-digest.ts';

/** Envoy's `vm_config`, with the code in it. */
export interface InlineVm {
  readonly vm_id: string;
  readonly runtime: string;
  readonly code: { readonly local: { readonly inline_bytes: string } };
  readonly environment_variables: { readonly host_env_keys: readonly string[] };
}

/** @param variables names of what the module gets of Envoy's environment, sorted */
export function inlineVm(
  module: { readonly sha256: string; readonly bytes: Uint8Array },
  variables: readonly string[],
): InlineVm {
  return {
    vm_id: vmId(module.sha256, variables),
    runtime: 'envoy.wasm.runtime.v8',
    code: { local: { inline_bytes: Buffer.from(module.bytes).toString('base64') } },
    environment_variables: { host_env_keys: variables },
  };
}

/**
 * A VM is shared by filters with equal ids and equal code, before an edit and after it, and Envoy 1.36 leaves it the
 * environment that it began with: other variables need another VM, as other code does.
 */
function vmId(sha256: string, variables: readonly string[]): string {
  return variables.length === 0 ? `sluice-${sha256}` : `sluice-${sha256}-${shortDigest(variables)}`;
}
