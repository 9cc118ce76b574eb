/** Where a bundle has what its loader looks at; all else is listed in its checksums. */
export const bundled = {
  loader: 'sluice-load.mjs',
  manifest: 'bundle.json',
  checksums: 'SHA256SUMS',
  sbom: 'sbom.cdx.json',
  command: 'sluice',
  module: 'build/plugin.wasm',
} as const;

/** Where a bundle has an Envoy: `<version>/bin/envoy`, as func-e lays its versions out. */
export const enginesFolder = 'engines';
