import { type TrustedKey, signerOf } from '../../common/signature.ts';
import { type Address, type Artifact, addressText } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import type { Policy } from '../store/artifact-store.ts';

/** The header of a publication that brings the signature of its module along, in base64. */
export const signatureHeader = 'sluice-signature';

const none: readonly TrustedKey[] = [];

/** Who may have signed the modules that a server takes in, and gives out; without keys it takes in all. */
export class Trust implements Policy {
  readonly #keys: () => readonly TrustedKey[];
  /** The names of signers, by artifact: its bytes never change. */
  readonly #signers = new WeakMap<
    Artifact,
    { readonly keys: readonly TrustedKey[]; readonly signature: Buffer; readonly name: string | undefined }
  >();

  /** @param keys those of the moment; they may be read anew while the server runs */
  constructor(keys: () => readonly TrustedKey[] = () => none) {
    this.#keys = keys;
  }

  /** The same array as long as no key has changed. */
  get keys(): readonly TrustedKey[] {
    return this.#keys();
  }

  /** Whether a module without a signature is refused. */
  get isRequired(): boolean {
    return this.#keys().length > 0;
  }

  /**
   * Holds a module that is to be taken in to its signature.
   * @throws PluginServerError `signature_required`, `signature_invalid`
   */
  check(address: Address, module: Buffer, signature: Buffer | undefined): void {
    const keys = this.#keys();
    if (keys.length === 0) return;
    const names = keys.map(({ name }) => name).join(', ');
    if (signature === undefined) throw new PluginServerError('signature_required', addressText(address), names);
    if (signerOf(module, signature, keys) === undefined) {
      throw new PluginServerError('signature_invalid', addressText(address), names);
    }
  }

  /** As a store asks, of what lies on its disk. */
  get state(): unknown {
    return this.#keys();
  }

  refusal(artifact: Artifact, signature: Buffer | undefined): PluginServerError | undefined {
    const keys = this.#keys();
    if (keys.length === 0 || this.signer(artifact, signature) !== undefined) return undefined;
    const names = keys.map(({ name }) => name).join(', ');
    const why =
      signature === undefined
        ? 'it has no signature'
        : 'its signature was made by another key, or is one of other bytes';
    return new PluginServerError('withheld', addressText(artifact), why, names);
  }

  /** The name of the key that signed an artifact; undefined where none of ours did. */
  signer(artifact: Artifact, signature: Buffer | undefined): string | undefined {
    const keys = this.#keys();
    if (signature === undefined || keys.length === 0) return undefined;
    const known = this.#signers.get(artifact);
    if (known?.keys === keys && known.signature === signature) return known.name;
    const name = signerOf(artifact.bytes, signature, keys)?.name;
    this.#signers.set(artifact, { keys, signature, name });
    return name;
  }
}
