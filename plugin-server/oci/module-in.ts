import { PluginServerError } from '../errors.ts';
import { unwrap } from '../publish/unwrap.ts';
import { moduleLimit } from '../store/limits.ts';
import { ImageError } from './image-files.ts';
import { mediaType } from './media-types.ts';
import type { FoundImage, Layer } from './read-images.ts';

const asItIs: readonly string[] = [mediaType.wasmLayer, mediaType.wasm];
const archived: readonly string[] = [mediaType.layerTar, mediaType.layerTarGzip, mediaType.dockerLayer];

/**
 * The module in an image: a layer that is one, or the last tar that has one, which is where agents look.
 * Throws `ImageError` where there is none.
 */
export async function moduleIn({ layers }: FoundImage): Promise<Buffer> {
  const reasons: string[] = [];
  for (const layer of layers.toReversed()) {
    const found = await moduleOf(layer);
    if (typeof found !== 'string') return found;
    reasons.push(found);
  }
  throw new ImageError(`none of its layers has a module: ${reasons.join('; ') || 'there are none'}`);
}

/** The module, or why there is none. */
async function moduleOf({ mediaType: type, bytes }: Layer): Promise<Buffer | string> {
  if (asItIs.includes(type)) return bytes;
  if (!archived.includes(type)) return `a layer of the type ${JSON.stringify(type)}`;
  try {
    return (await unwrap(bytes, moduleLimit, 'a layer')).bytes;
  } catch (error) {
    if (error instanceof PluginServerError) return error.message;
    throw error;
  }
}
