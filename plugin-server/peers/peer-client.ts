import * as z from 'zod';
import { bodyOf, parseJson } from '../http/client.ts';
import { checkAddress, filePath, sha256Of, type Address } from '../artifact.ts';
import { signatureLimit } from '../../common/signature.ts';
import { moduleLimit, storeLimits } from '../store/limits.ts';

/** What a peer says it has. */
export interface Offer extends Address {
  readonly size: number;
  readonly sha256: string;
  readonly signed: boolean;
}

/** Milliseconds: of a listing, and of a module of 256 MiB. */
const listingTimeout = 15_000;
const moduleTimeout = 300_000;

/** A version takes some 250 bytes of a listing. */
const listingLimit = storeLimits.artifacts * 1024;

const listingSchema = z.object({
  plugins: z.array(
    z.object({
      name: z.string(),
      versions: z.array(
        z.object({
          version: z.string(),
          size: z.int().positive().max(moduleLimit),
          sha256: z.string().regex(/^[0-9a-f]{64}$/),
          signature: z.string().optional(),
        }),
      ),
    }),
  ),
});

/** Talks to another plugin server. What it answers is checked: a peer may be broken, or somebody else. */
export class PeerClient {
  readonly #origin: string;
  #etag: string | undefined;
  #offers: readonly Offer[] = [];

  /** @param origin its URL, without a path */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** All that it has; the last answer where that has not changed. Throws with the reason in a line. */
  async offers(signal: AbortSignal): Promise<readonly Offer[]> {
    const headers = this.#etag === undefined ? {} : { 'if-none-match': this.#etag };
    const response = await this.#get(
      '/plugins',
      AbortSignal.any([signal, AbortSignal.timeout(listingTimeout)]),
      headers,
    );
    if (response.status === 304) return this.#offers;
    const text = (await bodyOf(response, listingLimit)).toString();
    const listing = listingSchema.safeParse(parseJson(text));
    if (!listing.success) throw new Error('GET /plugins is not the listing of a plugin server');
    const offers = listing.data.plugins.flatMap(({ name, versions }) =>
      versions.map(({ version, size, sha256, signature }) => ({
        name,
        version,
        size,
        sha256,
        signed: signature !== undefined,
      })),
    );
    if (offers.length > storeLimits.artifacts) throw new Error(`it lists more than ${storeLimits.artifacts} versions`);
    for (const offer of offers) checkAddress(offer);
    this.#offers = offers;
    this.#etag = response.headers.get('etag') ?? undefined;
    return offers;
  }

  /** The bytes of a module, as they were promised. */
  async module(offer: Offer, signal: AbortSignal): Promise<Buffer> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(moduleTimeout)]);
    const bytes = await bodyOf(await this.#get(filePath(offer, 'plugin.wasm'), until), offer.size);
    const digest = sha256Of(bytes);
    if (digest !== offer.sha256)
      throw new Error(`its module has the digest ${digest}, and its listing says ${offer.sha256}`);
    return bytes;
  }

  async signature(offer: Offer, signal: AbortSignal): Promise<Buffer> {
    const until = AbortSignal.any([signal, AbortSignal.timeout(listingTimeout)]);
    return bodyOf(await this.#get(filePath(offer, 'plugin.wasm.sig'), until), signatureLimit);
  }

  async #get(path: string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    // A peer has no reason to send us elsewhere, and an attacker has one.
    const response = await fetch(this.#origin + path, { signal, headers, redirect: 'error' });
    if (response.ok || response.status === 304) return response;
    await response.body?.cancel();
    throw new Error(`GET ${path} answered ${response.status}`);
  }
}
