import type { Log } from '../log.ts';
import { PluginServerError } from '../errors.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { reasonOf } from '../store/files.ts';
import { History } from '../versions/history.ts';
import { judgeBy, judgeDigest } from './judge.ts';
import { type KeptCatalog, keptCatalogSchema } from './kept.ts';
import { CatalogNamespace } from './namespace.ts';
import { tellCatalog } from './tell.ts';

/** What keeps namespaces up to date; of several sources each has namespaces of its own. */
export interface CatalogSource {
  /** For messages: `the directory /srv/catalogs`. */
  readonly name: string;
  owns(namespace: string): boolean;
  /** What is wrong with the source itself, a line each. */
  problems(): readonly string[];
  /** For `/readyz`. */
  state(): object;
}

export interface CatalogsOptions {
  /** Where versions are kept. */
  readonly state: string;
  /** The modules that judge. */
  readonly store: ArtifactStore;
  readonly log: Log;
}

/** All namespaces, and what is given out of them. */
export class Catalogs {
  readonly #history: History<KeptCatalog>;
  readonly #options: CatalogsOptions;
  readonly #namespaces = new Map<string, CatalogNamespace>();
  readonly #listeners = new Set<() => void>();
  readonly #sources: CatalogSource[] = [];
  #generation = 0;

  constructor(options: CatalogsOptions) {
    this.#options = options;
    this.#history = new History<KeptCatalog>(options.state, keptCatalogSchema);
  }

  /** Takes up what the state has. @throws PluginServerError `state_unwritable` */
  async open(): Promise<void> {
    try {
      await this.#history.open();
      for (const name of await this.#history.names()) await this.of(name).restore();
    } catch (error) {
      throw new PluginServerError('state_unwritable', this.#options.state, reasonOf(error));
    }
  }

  /** A namespace, made where there is none. */
  of(name: string): CatalogNamespace {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const { store, log } = this.#options;
    const made = new CatalogNamespace(name, {
      history: this.#history,
      judge: judgeBy(store),
      judgedBy: () => judgeDigest(store),
      tell: (namespace, event) => {
        tellCatalog(log, namespace, event);
        this.#generation += 1;
        for (const listener of this.#listeners) listener();
      },
    });
    this.#namespaces.set(name, made);
    return made;
  }

  get(name: string): CatalogNamespace | undefined {
    return this.#namespaces.get(name);
  }

  /** In alphabetical order. */
  all(): CatalogNamespace[] {
    return [...this.#namespaces.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Another number whenever something is given out, or refused. */
  get generation(): number {
    return this.#generation;
  }

  /** Calls back after each of these. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  addSource(source: CatalogSource): void {
    this.#sources.push(source);
  }

  get sources(): readonly CatalogSource[] {
    return this.#sources;
  }

  /** What keeps a namespace; `undefined` for one that is put here. */
  sourceOf(namespace: string): CatalogSource | undefined {
    return this.#sources.find((source) => source.owns(namespace));
  }

  /** What is wrong, a line for each: what is given out works all the same. */
  problems(): string[] {
    const lines = this.#sources.flatMap((source) => source.problems());
    for (const { name, given, problems } of this.all()) {
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      if (errors === 0) continue;
      const stays = given === undefined ? 'nothing is given out' : `version ${given.generation} is given out`;
      lines.push(`catalog ${name}: ${errors === 1 ? 'a part is' : `${errors} parts are`} refused, ${stays}`);
    }
    return lines;
  }
}
