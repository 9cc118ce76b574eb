import { addressText, verifyArtifact } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import { failureText, wait } from '../http/client.ts';
import type { Log } from '../log.ts';
import { Trust } from '../publish/trust.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { forEach } from '../store/each.ts';
import { type Offer, PeerClient } from './peer-client.ts';

export interface PeerState {
  readonly url: string;
  /** When it was last in step, ISO 8601. */
  readonly synced: string | null;
  /** Why it is not, or the last time was not. */
  readonly error: string | null;
  /** Versions that it has with other bytes than we do, a line each. */
  readonly conflicts: readonly string[];
}

interface PeerSyncOptions {
  readonly store: ArtifactStore;
  /** Origins of plugin servers. */
  readonly peers: readonly string[];
  readonly log: Log;
  /** Whose signatures a module needs; by default none. */
  readonly trust?: Trust;
  /** Milliseconds between two looks at a peer; by default 10 s. */
  readonly interval?: number;
  /** Milliseconds at most between two tries of a peer that fails; by default 2 min. */
  readonly longestWait?: number;
}

/** Modules that are fetched from one peer at a time. */
const atOnce = 2;

/** Keeps a store in step with other plugin servers: what they have and it has not is fetched, verified and published. */
export class PeerSync {
  readonly #peers: readonly Peer[];
  readonly #stop = new AbortController();
  readonly #store: ArtifactStore;
  readonly #running: Promise<void>[] = [];

  constructor(options: PeerSyncOptions) {
    this.#store = options.store;
    this.#peers = options.peers.map((url) => new Peer(url, options));
  }

  /** Begins to poll; the first round of each peer is under way when this returns. */
  start(): void {
    for (const peer of this.#peers) this.#running.push(peer.run(this.#stop.signal));
  }

  /** Ends the polls, fetches under way included. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  states(): readonly PeerState[] {
    return this.#peers.map((peer) => peer.state());
  }

  /** A server that has nothing of its own is of no use before it has heard from one peer. */
  get ready(): boolean {
    return this.#store.count > 0 || this.#peers.some((peer) => peer.state().synced !== null);
  }
}

class Peer {
  readonly #url: string;
  readonly #client: PeerClient;
  readonly #store: ArtifactStore;
  readonly #log: Log;
  readonly #trust: Trust;
  readonly #interval: number;
  readonly #longestWait: number;
  /** By address, so that each is told once. */
  #conflicts = new Map<string, string>();
  #synced: Date | undefined;
  #error: string | undefined;
  #failures = 0;

  constructor(
    url: string,
    { store, log, trust = new Trust(), interval = 10_000, longestWait = 120_000 }: PeerSyncOptions,
  ) {
    this.#url = url;
    this.#client = new PeerClient(url);
    this.#store = store;
    this.#log = log;
    this.#trust = trust;
    this.#interval = interval;
    this.#longestWait = longestWait;
  }

  state(): PeerState {
    return {
      url: this.#url,
      synced: this.#synced?.toISOString() ?? null,
      error: this.#error ?? null,
      conflicts: [...this.#conflicts.values()],
    };
  }

  async run(stop: AbortSignal): Promise<void> {
    const isOver = (): boolean => stop.aborted;
    while (!isOver()) {
      try {
        await this.#look(stop);
        this.#succeed();
      } catch (error) {
        if (!isOver()) this.#fail(failureText(error));
      }
      await wait(this.#pause(), stop);
    }
  }

  /** One round; throws the first failure when all that can be had was fetched. */
  async #look(stop: AbortSignal): Promise<void> {
    const offers = await this.#client.offers(stop);
    const conflicts = new Map<string, string>();
    let failure: unknown;
    await forEach(offers, atOnce, async (offer) => {
      if (stop.aborted) return;
      try {
        await this.#take(offer, stop);
      } catch (error) {
        const isConflict = error instanceof PluginServerError && error.code.endsWith('conflict');
        if (isConflict) conflicts.set(addressText(offer), `${error.message}; the peer has ${offer.sha256}`);
        else failure ??= new Error(`${addressText(offer)}: ${failureText(error)}`);
      }
    });
    for (const [address, text] of conflicts) {
      if (this.#conflicts.get(address) !== text) this.#log.error({ peer: this.#url }, text);
    }
    this.#conflicts = conflicts;
    if (failure !== undefined) throw failure as Error;
  }

  async #take(offer: Offer, stop: AbortSignal): Promise<void> {
    const held = this.#store.find(offer);
    const taken = held?.sha256 ?? this.#store.damage(offer)?.sha256;
    if (taken !== undefined && taken !== offer.sha256)
      throw new PluginServerError('conflict', addressText(offer), taken);
    if (held === undefined) {
      const bytes = await this.#client.module(offer, stop);
      // Where signatures are required, nothing is taken in before its own is there.
      const signature = this.#trust.isRequired && offer.signed ? await this.#client.signature(offer, stop) : undefined;
      this.#trust.check(offer, bytes, signature);
      const { name, version } = offer;
      const artifact = await verifyArtifact({ name, version }, bytes, { at: new Date(), source: this.#url });
      await this.#store.publish(artifact, signature);
      this.#log.info({ peer: this.#url, sha256: offer.sha256 }, `${addressText(offer)} was fetched from a peer`);
    }
    const artifact = this.#store.find(offer);
    if (artifact === undefined || !offer.signed || this.#store.signature(artifact) !== undefined) return;
    const signature = await this.#client.signature(offer, stop);
    this.#trust.check(artifact, artifact.bytes, signature);
    await this.#store.sign(artifact, signature);
  }

  #succeed(): void {
    if (this.#error !== undefined) this.#log.info({ peer: this.#url }, 'the peer is in step again');
    this.#synced = new Date();
    this.#error = undefined;
    this.#failures = 0;
  }

  #fail(reason: string): void {
    // Once for each reason: a peer that is down for a night is no thousand lines.
    if (this.#error !== reason) this.#log.error({ peer: this.#url }, `cannot follow the peer: ${reason}`);
    this.#error = reason;
    this.#failures++;
  }

  /** Doubles with each failure; a random part keeps replicas from asking all at once. */
  #pause(): number {
    const doubled = Math.min(this.#interval * 2 ** Math.min(this.#failures, 10), this.#longestWait);
    const longest = this.#failures === 0 ? this.#interval : doubled;
    return longest * (0.75 + Math.random() / 4);
  }
}
