import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import * as z from 'zod';
import { type ImageFiles, ImageError } from './image-files.ts';
import { mediaType } from './media-types.ts';

/** One layer, whose digest was checked. */
export interface Layer {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** An image as it was carried in. */
export interface FoundImage {
  /** `host/namespace/name:tag`, or a tag alone; absent where the archive does not say. */
  readonly reference?: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly layers: readonly Layer[];
}

const annotations = z.record(z.string(), z.string()).optional();
const descriptor = z.object({
  mediaType: z.string().optional(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  annotations,
  platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
});
type Descriptor = z.infer<typeof descriptor>;
const index = z.object({ manifests: z.array(descriptor) });
const manifest = z.object({ config: descriptor, layers: z.array(descriptor), annotations });
const saved = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }),
);
const savedConfig = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) });

/** An index in an index in an index: nobody needs a fourth. */
const deepest = 3;

const indexTypes: readonly (string | undefined)[] = [mediaType.index, mediaType.dockerIndex];

/**
 * The images of an OCI layout (`index.json`), or of what `docker save` wrote (`manifest.json`).
 * Throws `ImageError` where there is neither, where something is missing, or where bytes have not the digest or the size
 * that is said of them.
 */
export async function readImages(files: ImageFiles): Promise<FoundImage[]> {
  const layout = await files.read('index.json');
  if (layout !== undefined) {
    const { manifests } = parsed(layout, index, 'index.json');
    return (await Promise.all(manifests.map((each) => imagesAt(each, undefined, files, 1)))).flat();
  }
  const docker = await files.read('manifest.json');
  if (docker === undefined) throw new ImageError('it has neither index.json nor manifest.json: it is no image');
  const entries = parsed(docker, saved, 'manifest.json');
  return (await Promise.all(entries.map((entry) => savedImages(entry, files)))).flat();
}

async function imagesAt(
  at: Descriptor,
  outer: string | undefined,
  files: ImageFiles,
  depth: number,
): Promise<FoundImage[]> {
  // What describes how an image was built, and is none.
  if (at.annotations?.['vnd.docker.reference.type'] !== undefined) return [];
  const reference =
    at.annotations?.['io.containerd.image.name'] ?? at.annotations?.['org.opencontainers.image.ref.name'] ?? outer;
  const bytes = await blob(at, files);
  if (indexTypes.includes(at.mediaType)) {
    if (depth === deepest) throw new ImageError(`it has indexes more than ${deepest} deep`);
    const inner = parsed(bytes, index, at.digest).manifests;
    return (await Promise.all(inner.map((each) => imagesAt(each, reference, files, depth + 1)))).flat();
  }
  const { layers, annotations: said = {} } = parsed(bytes, manifest, at.digest);
  const found = await Promise.all(
    layers.map(async (layer) => ({ mediaType: layer.mediaType ?? '', bytes: await blob(layer, files) })),
  );
  return [{ annotations: said, layers: found, ...(reference !== undefined && { reference }) }];
}

async function blob({ digest, size }: Descriptor, files: ImageFiles): Promise<Buffer> {
  const path = `blobs/${digest.replace(':', '/')}`;
  const bytes = await files.read(path);
  if (bytes === undefined) throw new ImageError(`${path} is missing`);
  if (bytes.length !== size) throw new ImageError(`${path} has ${bytes.length} bytes, and ${size} are said of it`);
  if (digestOf(bytes) !== digest) throw new ImageError(`the bytes of ${path} have another digest`);
  return bytes;
}

/** Layers are plain tars there, and their digests are in the config, whose own is its name. */
async function savedImages(entry: z.infer<typeof saved>[number], files: ImageFiles): Promise<FoundImage[]> {
  const config = await savedFile(entry.Config, files);
  const named = /([0-9a-f]{64})(?:\.json)?$/.exec(entry.Config)?.[1];
  if (named !== undefined && digestOf(config) !== `sha256:${named}`) {
    throw new ImageError(`the bytes of ${entry.Config} have another digest`);
  }
  const { diff_ids: digests } = parsed(config, savedConfig, entry.Config).rootfs;
  if (digests.length !== entry.Layers.length) throw new ImageError(`${entry.Config} tells of other layers`);
  const layers = await Promise.all(
    entry.Layers.map(async (path, i) => {
      const bytes = await savedFile(path, files);
      if (digestOf(bytes) !== digests[i]) throw new ImageError(`the bytes of ${path} have another digest`);
      return { mediaType: mediaType.layerTar, bytes };
    }),
  );
  const tags = entry.RepoTags ?? [];
  if (tags.length === 0) return [{ annotations: {}, layers }];
  return tags.map((reference) => ({ reference, annotations: {}, layers }));
}

async function savedFile(path: string, files: ImageFiles): Promise<Buffer> {
  const bytes = await files.read(posix.normalize(path));
  if (bytes === undefined) throw new ImageError(`${path} is missing`);
  return bytes;
}

function parsed<T>(bytes: Buffer, shape: z.ZodType<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ImageError(`${what} is no JSON: ${(error as Error).message}`);
  }
  const { data, error } = shape.safeParse(value);
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw new ImageError(`${what} is not what its name says: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
