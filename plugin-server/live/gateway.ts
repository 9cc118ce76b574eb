import type { Problem } from '../../envoy/check/plugin.ts';
import { PluginServerError } from '../errors.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import type { ConfigurationFile } from '../../envoy/check/configuration.ts';
import { type Catalog, revisionOf, withEndpointsOf } from '../catalog/catalog.ts';
import type { Catalogs } from '../catalog/catalogs.ts';
import type { History } from '../versions/history.ts';
import { Versions } from '../versions/versions.ts';
import { type CatalogUse, letIn, useCatalogs, withCatalog } from './catalog-use.ts';
import { type Checked, checkGatewayText } from './check.ts';
import { type ClusterSet, type Compiled, clusterVersionOf, compile } from './compile.ts';
import { parseGatewayFile } from './gateway-file.ts';
import type { Cause, Kept, KeptModules } from './kept.ts';
import { resolveModule } from './modules.ts';
import { keyChanges, sessionKeysOf } from './session-keys.ts';
import { digestOf, sourceOf, unlessLost } from './source.ts';
import type { GatewayTokens } from './tokens.ts';

/** A version that is given out. */
export interface Active {
  readonly kept: Kept;
  readonly compiled: Compiled;
}

/** An edit that was not taken. */
export interface Refusal {
  readonly since: Date;
  readonly problems: readonly Problem[];
}

/** What happened to a gateway; each is told once. */
export type GatewayEvent =
  | { readonly kind: 'accepted'; readonly version: Kept; readonly warnings: readonly Problem[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  /** What of its catalogs is left out, or stays as it was; none where all of them is right again. */
  | { readonly kind: 'catalog'; readonly problems: readonly Problem[] }
  | { readonly kind: 'endpoints'; readonly version: Kept }
  | { readonly kind: 'rolled back'; readonly version: Kept; readonly warnings: readonly Problem[] };

export interface Surroundings {
  readonly history: History<Kept>;
  readonly modules: KeptModules;
  readonly store: ArtifactStore;
  readonly catalogs?: Catalogs | undefined;
  readonly tell: (gateway: DeliveredGateway, event: GatewayEvent) => void;
}

/**
 * One gateway: the version that is given out, those before it, and the edit that was refused, if the last one was.
 * What changes it runs one after the other.
 */
export class DeliveredGateway {
  readonly name: string;
  /** Until the file was looked for, nothing is open. */
  tokens: GatewayTokens = { digests: [], problems: [] };
  readonly #surroundings: Surroundings;
  readonly #versions: Versions<Kept>;
  #active: Active | undefined;
  #refusal: Refusal | undefined;
  #warnings: readonly Problem[] = [];
  #catalogProblems: readonly Problem[] = [];
  /** What the file and its catalogs are now, see `sourceOf`. */
  #source: string | undefined;
  /** Source and module that were judged last, and what was found of the catalogs: nothing is judged twice. */
  #judged: { readonly input: string; readonly catalogProblems: readonly Problem[] } | undefined;
  /** What was asked of the store and the catalogs, and when. */
  #request: { readonly text: string; readonly generation: string } | undefined;
  /** The catalogs that its file names now. */
  #namespaces: readonly string[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.#surroundings = surroundings;
    this.#versions = new Versions(name, surroundings.history);
  }

  get active(): Active | undefined {
    return this.#active;
  }

  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  get warnings(): readonly Problem[] {
    return this.#warnings;
  }

  /** What of its catalogs is left out, or stays as it was. */
  get catalogProblems(): readonly Problem[] {
    return this.#catalogProblems;
  }

  /** The catalogs that its file names. */
  get namespaces(): readonly string[] {
    return this.#namespaces;
  }

  /** Oldest first. */
  get history(): readonly Kept[] {
    return this.#versions.all;
  }

  /** Whether a rollback keeps the file as it is, and what its catalogs add, from being taken. */
  get rolledBack(): boolean {
    const { instead } = this.#versions;
    return instead !== undefined && instead === this.#source;
  }

  /** The clusters of a version that was given out once; `undefined` where that is not known here. */
  clusterSet(version: string): ClusterSet | undefined {
    const kept = this.#versions.all.findLast((each) => clusterVersionOf(each.version) === version);
    return kept === undefined ? undefined : { version, clusters: kept.clusters };
  }

  /** Takes up what the history has; the file is looked at after that. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      const kept = await this.#versions.restore();
      if (kept === undefined) return;
      await this.#activate(kept, this.#versions.instead).catch((error: unknown) => {
        this.#refuse([problem('', `version ${kept.generation} cannot be restored: ${(error as Error).message}`)]);
      });
      if (this.#active === undefined) return;
      this.#warnings = kept.warnings ?? [];
      const input = inputOf(digestOf(kept.text), kept.module.sha256);
      // What catalogs add is judged anew: it says what is left out of it.
      if (kept.catalog === undefined) this.#judged = { input, catalogProblems: [] };
    });
  }

  /** Looks whether another plugin server, which shares the folder of the history, gives out another version by now. */
  follow(): Promise<boolean> {
    return this.#inTurn(async () => {
      const active = this.#active;
      const other = active && (await this.#versions.elsewhere(active.kept));
      if (active === undefined || other === undefined) return true;
      const { kept, take } = other;
      const isSame = kept.version === active.kept.version;
      const compiled = isSame ? active.compiled : (await this.#compile(kept)).compiled;
      take();
      this.#active = { kept, compiled };
      if (isSame) return true;
      this.#refusal = undefined;
      this.#warnings = kept.warnings ?? [];
      const kind = this.#versions.instead === undefined ? 'accepted' : 'rolled back';
      this.#surroundings.tell(this, { kind, version: kept, warnings: this.#warnings });
      return true;
    });
  }

  /**
   * Takes a file's text, if it is new, or a module or a catalog is there that it did not have before.
   * @returns false where it has to be taken again: it could not be kept
   */
  take(text: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const { store, catalogs } = this.#surroundings;
      const generation = `${store.generation} ${catalogs?.generation ?? 0}`;
      if (this.#request?.text === text && this.#request.generation === generation) return true;
      const file = parseGatewayFile(text).configuration?.file;
      this.#namespaces = file?.catalog?.namespaces ?? [];
      const use = file?.catalog && useCatalogs(file.catalog, catalogs);
      const source = unlessLost(sourceOf(text, use), this.#versions.instead);
      this.#source = source;
      if (source === this.#versions.instead) {
        // What was wrong with the file since the rollback is so no more.
        if (this.#active !== undefined) this.#refusal = undefined;
        if (use !== undefined) await this.#renewEndpoints(use.wanted);
      } else {
        const input = inputOf(source, requestedModule(file, store));
        if (input !== this.#judged?.input) {
          if (!(await this.#judge(text, input, file, use))) return false;
        } else if (use !== undefined) await this.#renewEndpoints(use.wanted);
        if (this.#active !== undefined && this.#refusal === undefined) {
          await this.#versions.endRollback(this.#active.kept);
        }
        if (use !== undefined) this.#tellCatalogProblems([...use.problems, ...(this.#judged?.catalogProblems ?? [])]);
      }
      this.#request = { text, generation };
      return true;
    });
  }

  /** The file is not there, or cannot be read: what is given out stays. */
  lose(reason: string): Promise<void> {
    return this.#inTurn(() => {
      this.#request = undefined;
      this.#judged = undefined;
      this.#refuse([problem('', reason)]);
      return Promise.resolve();
    });
  }

  /**
   * Gives out an earlier version, until the file is edited.
   * @param to a generation, or the beginning of a version; by default the version before the one that is given out
   * @throws PluginServerError `unknown_gateway_version`, `module_gone`, `not_kept`
   */
  rollBack(to?: string): Promise<Kept> {
    return this.#inTurn(async () => {
      const wanted = this.#versions.find(
        to,
        this.#active && { ...this.#active.kept, version: this.#active.compiled.version },
      );
      if (wanted === undefined) {
        throw new PluginServerError('unknown_gateway_version', to ?? 'before', this.name, this.#versions.known);
      }
      const warnings = this.#keyChanges(wanted.text);
      await this.#activate(wanted, this.#source ?? '');
      const { catalogs } = this.#surroundings;
      const request = parseGatewayFile(wanted.text).configuration?.file?.catalog;
      if (request !== undefined) await this.#renewEndpoints(useCatalogs(request, catalogs).wanted);
      this.#refusal = undefined;
      this.#warnings = [...(wanted.warnings ?? []), ...warnings];
      this.#catalogProblems = [];
      this.#judged = undefined;
      this.#request = undefined;
      this.#surroundings.tell(this, { kind: 'rolled back', version: wanted, warnings });
      return wanted;
    });
  }

  /** @returns false where it could not be kept */
  async #judge(
    text: string,
    input: string,
    file: ConfigurationFile | undefined,
    use: CatalogUse | undefined,
  ): Promise<boolean> {
    this.#judged = { input, catalogProblems: [] };
    const given = this.#active?.kept.catalog;
    // Where something was there before, a catalog that is not there yet takes nothing away; and nothing alone serves nobody.
    const isAlone = use?.wanted.servers.length === 0 && file?.servers.length === 0;
    if (use !== undefined && use.missing.length > 0 && (given !== undefined || isAlone)) {
      this.#refuse([problem('catalog.namespace', `there is no catalog ${use.missing.join(', ')} here yet`)]);
      return true;
    }
    const previous = given && file?.catalog && letIn(file.catalog, given);
    const stay = previous?.servers.filter(({ name }) => use?.refused.has(name) === true) ?? [];
    const additions = use && { wanted: { ...use.wanted, servers: [...use.wanted.servers, ...stay] }, previous };
    const checked = await checkGatewayText(text, this.#surroundings.store, additions);
    const missing = use?.missing.map((name) => warning('catalog.namespace', `there is no catalog ${name} here yet`));
    const catalogProblems = checked.catalogProblems.map((each) => ({ ...each, path: `catalog.${each.path}` }));
    this.#judged = { input, catalogProblems: [...catalogProblems, ...(missing ?? [])] };
    if (await this.#settle(text, checked)) return true;
    this.#judged = undefined;
    return false;
  }

  /** @returns false where it could not be kept */
  async #settle(text: string, { problems, accepted }: Checked): Promise<boolean> {
    if (accepted === undefined) {
      this.#refuse(problems);
      return true;
    }
    const { file, catalog, module } = accepted;
    const compiled = compile(withCatalog(file, catalog), module);
    let warnings: readonly Problem[] = problems;
    if (compiled.version !== this.#active?.compiled.version) {
      const cause = this.#cause(text, module);
      warnings = [...problems, ...this.#keyChanges(text)];
      let kept: Kept;
      try {
        kept = await this.#keep({ text, catalog, module, compiled, cause, warnings: problems }, module.bytes);
      } catch (error) {
        this.#refuse([problem('', (error as Error).message)]);
        return false;
      }
      this.#active = { kept, compiled };
      this.#surroundings.tell(this, { kind: 'accepted', version: kept, warnings });
    }
    this.#refusal = undefined;
    this.#warnings = warnings;
    return true;
  }

  /** What becomes of sessions when a file's text takes the place of the one that is given out. */
  #keyChanges(text: string): Problem[] {
    const given = this.#active?.kept.text;
    if (given === undefined) return [];
    const keysOf = (file: string) => sessionKeysOf(parseGatewayFile(file).configuration?.file?.plugin ?? {});
    return keyChanges(keysOf(given), keysOf(text));
  }

  #cause(text: string, { sha256 }: Kept['module']): Cause {
    const kept = this.#active?.kept;
    if (kept?.text !== text) return 'edit';
    return kept.module.sha256 === sha256 ? 'catalog' : 'module';
  }

  async #keep(draft: Draft, module: Uint8Array): Promise<Kept> {
    await this.#surroundings.modules.add(draft.module.sha256, module);
    const created = new Date().toISOString();
    return await this.#versions.keep((generation) => versionOf(draft, generation, created));
  }

  /**
   * Gives out a version that was kept. A plugin server of another release may compile it otherwise, which makes it a
   * version of its own: what the kept one was stays known for the Envoys that have it.
   */
  async #activate(kept: Kept, instead?: string): Promise<void> {
    const { compiled, bytes } = await this.#compile(kept);
    if (compiled.version === kept.version) {
      if (instead !== undefined) await this.#versions.choose(kept, instead);
      this.#active = { kept, compiled };
      return;
    }
    const { text, catalog, module, warnings } = kept;
    const renewed = await this.#keep({ text, catalog, module, compiled, cause: 'server', warnings }, bytes);
    if (instead !== undefined) await this.#versions.choose(renewed, instead);
    this.#active = { kept: renewed, compiled };
  }

  /** Instances of services come and go within the version that is given out. */
  async #renewEndpoints(wanted: Catalog): Promise<void> {
    const kept = this.#active?.kept;
    if (kept?.catalog === undefined) return;
    const catalog = withEndpointsOf(kept.catalog, wanted);
    if (revisionOf(catalog) === revisionOf(kept.catalog)) return;
    const { compiled } = await this.#compile({ ...kept, catalog: catalog });
    const { text, module, cause, warnings, generation, created } = kept;
    const renewed = versionOf({ text, catalog, module, compiled, cause, warnings }, generation, created);
    await this.#versions.amend(renewed);
    this.#active = { kept: renewed, compiled };
    this.#surroundings.tell(this, { kind: 'endpoints', version: renewed });
  }

  async #compile(kept: Kept): Promise<{ compiled: Compiled; bytes: Uint8Array }> {
    const { modules, store } = this.#surroundings;
    const { name, version, sha256 } = kept.module;
    const bytes = (await modules.get(sha256)) ?? fromStore(store, kept.module);
    if (bytes === undefined)
      throw new PluginServerError('module_gone', kept.generation, this.name, name, version, sha256);
    const file = parseGatewayFile(kept.text).configuration?.file;
    if (file === undefined) throw new Error('its configuration is not read any more');
    return { compiled: compile(withCatalog(file, kept.catalog), { ...kept.module, bytes }), bytes };
  }

  #tellCatalogProblems(problems: readonly Problem[]): void {
    if (JSON.stringify(problems) === JSON.stringify(this.#catalogProblems)) return;
    this.#catalogProblems = problems;
    this.#surroundings.tell(this, { kind: 'catalog', problems });
  }

  #refuse(problems: readonly Problem[]): void {
    const same = JSON.stringify(this.#refusal?.problems) === JSON.stringify(problems);
    if (same) return;
    this.#refusal = { since: new Date(), problems };
    this.#surroundings.tell(this, { kind: 'refused', problems });
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#last.then(step);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** What a version is made of. */
interface Draft extends Pick<Kept, 'text' | 'module' | 'cause'> {
  readonly catalog: Catalog | undefined;
  readonly compiled: Compiled;
  readonly warnings: readonly Problem[] | undefined;
}

/** @param created the time, as ISO 8601 has it */
function versionOf(draft: Draft, generation: number, created: string): Kept {
  const { text, catalog, compiled, cause, warnings = [] } = draft;
  const { name, version, sha256 } = draft.module;
  const clusters = compiled.clusterSet.clusters.map(({ name, json }) => ({ name, json }));
  const more = { ...(catalog && { catalog }), ...(warnings.length > 0 && { warnings: [...warnings] }) };
  const module = { name, version, sha256 };
  return { generation, version: compiled.version, created, cause, text, ...more, module, clusters };
}

/** The digest of the module that a file asks for, or why there is none. */
function requestedModule(file: ConfigurationFile | undefined, store: ArtifactStore): string {
  if (file === undefined) return 'unread';
  try {
    return resolveModule(file.module, store).sha256;
  } catch (error) {
    return (error as Error).message;
  }
}

function problem(path: string, message: string): Problem {
  return { path, message, severity: 'error' };
}

function warning(path: string, message: string): Problem {
  return { path, message, severity: 'warning' };
}

function fromStore(store: ArtifactStore, wanted: Kept['module']): Uint8Array | undefined {
  const found = store.find(wanted);
  return found?.sha256 === wanted.sha256 ? found.bytes : undefined;
}

function inputOf(source: string, module: string): string {
  return `${source} ${module}`;
}
