import { createHash } from 'node:crypto';
import type { Artifact } from '../artifact.ts';
import type { Content } from '../http/send.ts';
import { type Forms, layerForm } from '../plugins/forms.ts';
import { mediaType } from './media-types.ts';

/** An artifact as an OCI image: everything that a client pulls. */
export interface Image {
  readonly manifest: Content;
  /** The config and the one layer. */
  readonly blobs: readonly Content[];
}

/**
 * Makes the image of an artifact: one layer, a gzipped tar with `plugin.wasm` in it, under an image config. It is the one
 * shape that every client takes: those that run Wasm (Istio's and Envoy Gateway's agents), those that copy images
 * (skopeo, crane, oras, regctl), and podman. Its bytes are the same at every time and on every server: digests of images are
 * pinned, and signed.
 */
export async function imageOf(artifact: Artifact, forms: Forms): Promise<Image> {
  const [layer, tar] = await Promise.all([forms.get(artifact, layerForm), forms.get(artifact, 'plugin.tar')]);
  const config = contentOf(
    {
      // Agents that are asked for an image take the one for their platform, or this one.
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    },
    mediaType.config,
  );
  const manifest = contentOf(
    {
      schemaVersion: 2,
      mediaType: mediaType.manifest,
      config: descriptorOf(config),
      layers: [{ ...descriptorOf(layer), mediaType: mediaType.layerTarGzip }],
      annotations: {
        'org.opencontainers.image.title': artifact.name,
        'org.opencontainers.image.version': artifact.version,
        'dev.sluice.module.sha256': artifact.sha256,
      },
    },
    mediaType.manifest,
  );
  return { manifest, blobs: [config, { ...layer, type: 'application/octet-stream' }] };
}

/** `sha256:…`, as registries name content. */
export function digestOf({ etag }: Content): string {
  return `sha256:${etag.slice(1, -1)}`;
}

function descriptorOf(content: Content): { mediaType: string; digest: string; size: number } {
  return { mediaType: content.type, digest: digestOf(content), size: content.bytes.length };
}

function contentOf(value: object, type: string): Content {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = createHash('sha256').update(bytes);
  const hex = digest.copy().digest('hex');
  return { bytes, etag: `"${hex}"`, reprDigest: `sha-256=:${digest.digest('base64')}:`, type };
}
