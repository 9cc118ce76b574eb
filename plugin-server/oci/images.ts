import { LRUCache } from 'lru-cache';
import { isVersion } from '../../common/version.ts';
import type { Artifact } from '../artifact.ts';
import type { Content } from '../http/send.ts';
import { Forms } from '../plugins/forms.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { type Image, digestOf, imageOf } from './image.ts';

/** Images whose manifest and config are kept; layers are kept, or made anew, by the forms. */
const mostImages = 4096;

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** The artifacts of a store as images, made when they are first asked for. */
export class Images {
  readonly #store: ArtifactStore;
  readonly #forms = new Forms();
  /** By `<sha256 of the module> <name>/<version>`. */
  readonly #made = new LRUCache<string, { readonly manifest: Content; readonly blobs: readonly string[] }>({
    max: mostImages,
  });

  constructor(store: ArtifactStore) {
    this.#store = store;
  }

  /**
   * The manifest that a tag or a digest means; undefined where there is none. A tag is an exact version, with `_` for the
   * `+` that no tag can have, or what means several versions (`latest`, `1`, `1.2`).
   * Throws as `ArtifactStore.get` does.
   */
  async manifest(name: string, reference: string): Promise<Content | undefined> {
    if (digestPattern.test(reference)) return this.#find(name, ({ manifest }) => [manifest], reference);
    const version = reference.replace('_', '+');
    const artifact = isVersion(version) ? this.#store.get(name, version) : this.#store.newest(name, version);
    return (await this.#image(artifact)).manifest;
  }

  /** Throws as `ArtifactStore.versions` does. */
  async blob(name: string, digest: string): Promise<Content | undefined> {
    return digestPattern.test(digest) ? this.#find(name, ({ blobs }) => blobs, digest) : undefined;
  }

  /** Newest first. Throws as `ArtifactStore.versions` does. */
  tags(name: string): string[] {
    return this.#store.versions(name).map(({ version }) => version.replace('+', '_'));
  }

  /** Looks at what is known to have the digest first; else, as after a restart, at one version after the other. */
  async #find(name: string, of: (image: Image) => readonly Content[], digest: string): Promise<Content | undefined> {
    const versions = this.#store.versions(name);
    const known = versions.filter((artifact) => this.#knows(artifact, digest));
    for (const artifact of known.length > 0 ? known : versions) {
      const found = of(await this.#image(artifact)).find((content) => digestOf(content) === digest);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #knows(artifact: Artifact, digest: string): boolean {
    const made = this.#made.get(keyOf(artifact));
    return made !== undefined && (digestOf(made.manifest) === digest || made.blobs.includes(digest));
  }

  async #image(artifact: Artifact): Promise<Image> {
    const image = await imageOf(artifact, this.#forms);
    const { manifest, blobs } = image;
    this.#made.set(keyOf(artifact), { manifest, blobs: blobs.map(digestOf) });
    return image;
  }
}

function keyOf({ sha256, name, version }: Artifact): string {
  return `${sha256} ${name}/${version}`;
}
