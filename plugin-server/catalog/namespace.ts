import type { Problem } from '../../envoy/check/problem.ts';
import { PluginServerError } from '../errors.ts';
import type { History } from '../versions/history.ts';
import { Versions } from '../versions/versions.ts';
import { type Catalog, editionOf, inOrder, revisionOf, withEndpointsOf } from './catalog.ts';
import type { KeptCatalog, Origin } from './kept.ts';
import { type Judge, named, settle } from './settle.ts';

/** What a source has for a namespace. */
export interface Offer {
  readonly catalog: Catalog;
  /** What the source left out of it, or left as it was, and why. */
  readonly problems: readonly Problem[];
  readonly cause: Origin;
  readonly by?: string;
}

/** What happened to a namespace; each is told once. */
export type CatalogEvent =
  | { readonly kind: 'accepted' | 'rolled back'; readonly version: KeptCatalog }
  | { readonly kind: 'endpoints'; readonly version: KeptCatalog }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

export interface NamespaceSurroundings {
  readonly history: History<KeptCatalog>;
  readonly judge: Judge;
  /** The digest of the module that judges. */
  readonly judgedBy: () => string;
  readonly tell: (namespace: CatalogNamespace, event: CatalogEvent) => void;
}

/** One namespace: the catalog that is given out, those before it, and what is wrong with what its source says. */
export class CatalogNamespace {
  readonly name: string;
  readonly #surroundings: NamespaceSurroundings;
  readonly #versions: Versions<KeptCatalog>;
  #given: KeptCatalog | undefined;
  #problems: readonly Problem[] = [];
  /** The source's edition as it is now. */
  #source: string | undefined;
  /** What was judged last, and what came of it: endpoints that come and go need no judgement. */
  #judged:
    | {
        readonly edition: string;
        readonly by: string;
        readonly catalog: Catalog;
        readonly problems: readonly Problem[];
      }
    | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, surroundings: NamespaceSurroundings) {
    this.name = name;
    this.#surroundings = surroundings;
    this.#versions = new Versions(name, surroundings.history);
  }

  /** What is given out. */
  get given(): KeptCatalog | undefined {
    return this.#given;
  }

  /** What is wrong with what the source says: errors are not in what is given out. */
  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Oldest first. */
  get versions(): readonly KeptCatalog[] {
    return this.#versions.all;
  }

  /** Whether a rollback keeps what the source says from being taken. */
  get rolledBack(): boolean {
    const { instead } = this.#versions;
    return instead !== undefined && (this.#source === undefined || instead === this.#source);
  }

  restore(): Promise<void> {
    return this.#inTurn(async () => {
      this.#given = await this.#versions.restore();
    });
  }

  /**
   * Takes as much of an offer as is right.
   * @throws PluginServerError `not_kept`
   */
  take(offer: Offer): Promise<void> {
    return this.#inTurn(async () => {
      const catalog = inOrder(offer.catalog);
      const edition = editionOf(catalog);
      this.#source = edition;
      if (edition === this.#versions.instead) {
        if (this.#given !== undefined) await this.#renewEndpoints(withEndpointsOf(this.#given.catalog, catalog));
        return;
      }
      const by = this.#surroundings.judgedBy();
      if (this.#judged?.edition !== edition || this.#judged.by !== by) {
        this.#judged = { edition, by, ...(await settle(catalog, this.#given?.catalog, this.#surroundings.judge)) };
      }
      await this.#give(withEndpointsOf(this.#judged.catalog, catalog), offer);
      this.#report([...offer.problems, ...this.#judged.problems]);
    });
  }

  /**
   * Takes all of an offer or nothing, as somebody waits for the answer.
   * @returns what is wrong; it was taken where no error is among it
   * @throws PluginServerError `not_kept`
   */
  takeWhole(offer: Offer): Promise<readonly Problem[]> {
    return this.#inTurn(async () => {
      const catalog = inOrder(offer.catalog);
      const problems = (await this.#surroundings.judge(catalog)).map((problem) => named(problem, catalog));
      if (problems.some(({ severity }) => severity === 'error')) return problems;
      await this.#give(catalog, offer);
      this.#source = editionOf(catalog);
      this.#judged = undefined;
      this.#report(problems);
      return problems;
    });
  }

  /** The source cannot be read, or has nothing that can be used: what is given out stays. */
  refuse(problems: readonly Problem[]): Promise<void> {
    return this.#inTurn(() => {
      this.#report(problems);
      return Promise.resolve();
    });
  }

  /**
   * Gives out an earlier version, until the source has another one.
   * @throws PluginServerError `unknown_catalog_version`, `not_kept`
   */
  rollBack(to?: string): Promise<KeptCatalog> {
    return this.#inTurn(async () => {
      const wanted = this.#versions.find(to, this.#given);
      if (wanted === undefined) {
        throw new PluginServerError('unknown_catalog_version', to ?? 'before', this.name, this.#versions.known);
      }
      await this.#versions.choose(wanted, this.#source ?? this.#given?.edition ?? '');
      this.#given = wanted;
      this.#problems = [];
      this.#surroundings.tell(this, { kind: 'rolled back', version: wanted });
      return wanted;
    });
  }

  async #give(catalog: Catalog, { cause, by }: Offer): Promise<void> {
    const version = revisionOf(catalog);
    const edition = editionOf(catalog);
    const given = this.#given;
    if (given?.edition === edition && this.#versions.instead === undefined) {
      await this.#renewEndpoints(catalog);
      return;
    }
    const created = new Date().toISOString();
    const more = { ...(by !== undefined && { by }), catalog };
    const kept = await this.#versions.keep((generation) => ({ generation, version, edition, created, cause, ...more }));
    this.#given = kept;
    this.#surroundings.tell(this, { kind: 'accepted', version: kept });
  }

  async #renewEndpoints(catalog: Catalog): Promise<void> {
    const version = revisionOf(catalog);
    if (this.#given === undefined || version === this.#given.version) return;
    const kept = { ...this.#given, version, catalog: catalog };
    await this.#versions.amend(kept);
    this.#given = kept;
    this.#surroundings.tell(this, { kind: 'endpoints', version: kept });
  }

  #report(problems: readonly Problem[]): void {
    const isKnown = JSON.stringify(problems) === JSON.stringify(this.#problems);
    this.#problems = problems;
    if (!isKnown && problems.length > 0) this.#surroundings.tell(this, { kind: 'refused', problems });
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#last.then(step);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
