/** Media types of the OCI image specification (image-spec, media-types.md), and those that Docker wrote before it. */
export const mediaType = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layerTar: 'application/vnd.oci.image.layer.v1.tar',
  layerTarGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  /** What Wasm artifacts have been given, the layer as the module itself. */
  wasmLayer: 'application/vnd.module.wasm.content.layer.v1+wasm',
  wasm: 'application/wasm',
} as const;
