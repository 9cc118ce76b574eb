import { createHash } from 'node:crypto';
import type { Problem } from '../../envoy/check/plugin.ts';
import { PluginServerError } from '../errors.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { reasonOf } from '../store/files.ts';
import { type Checked, checkGatewayText } from './check.ts';
import { type ClusterSet, type Compiled, clusterVersionOf, compile } from './compile.ts';
import { parseGatewayFile } from './gateway-file.ts';
import { type Cause, type History, type Kept, historyLimit } from './history.ts';
import { resolveModule } from './modules.ts';
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
  | { readonly kind: 'rolled back'; readonly version: Kept };

export interface Surroundings {
  readonly history: History;
  readonly store: ArtifactStore;
  readonly tell: (gateway: Gateway, event: GatewayEvent) => void;
}

/**
 * One gateway: the version that is given out, those before it, and the edit that was refused, if the last one was.
 * What changes it runs one after the other.
 */
export class Gateway {
  readonly name: string;
  /** Until the file was looked for, nothing is open. */
  tokens: GatewayTokens = { digests: [], problems: [] };
  readonly #surroundings: Surroundings;
  #kept: Kept[] = [];
  #active: Active | undefined;
  #refusal: Refusal | undefined;
  #warnings: readonly Problem[] = [];
  /** Digest of the file's text as it is now, and of the one that a rollback turned away from. */
  #text: string | undefined;
  #instead: string | undefined;
  /** Text and module that were judged last: nothing is judged twice. */
  #judged: string | undefined;
  /** What was asked of the store, and when. */
  #request: { readonly text: string; readonly generation: number } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.#surroundings = surroundings;
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

  /** Oldest first. */
  get history(): readonly Kept[] {
    return this.#kept;
  }

  /** Whether a rollback keeps the file as it is from being taken. */
  get rolledBack(): boolean {
    return this.#instead !== undefined && this.#instead === this.#text;
  }

  /** The clusters of a version that was given out once; `undefined` where that is not known here. */
  clusterSet(version: string): ClusterSet | undefined {
    const kept = this.#kept.findLast((each) => clusterVersionOf(each.version) === version);
    return kept === undefined ? undefined : { version, clusters: kept.clusters };
  }

  /** Takes up what the history has; the file is looked at after that. */
  restore(): Promise<void> {
    return this.#inTurn(async () => {
      const { history } = this.#surroundings;
      this.#kept = await history.versions(this.name);
      const current = await history.current(this.name);
      const kept = this.#kept.find(({ generation }) => generation === current?.generation);
      if (current === undefined || kept === undefined) return;
      this.#instead = current.instead;
      await this.#activate(kept, current.instead).catch((error: unknown) => {
        this.#refuse([problem('', `version ${kept.generation} cannot be restored: ${(error as Error).message}`)]);
      });
      if (this.#active !== undefined) this.#judged = inputOf(digestOf(kept.text), kept.module.sha256);
    });
  }

  /** Looks whether another plugin server, which shares the folder of the history, gives out another version by now. */
  follow(): Promise<boolean> {
    return this.#inTurn(async () => {
      const { history } = this.#surroundings;
      const current = await history.current(this.name);
      const active = this.#active;
      if (current === undefined || active === undefined) return true;
      if (current.generation === active.kept.generation && current.instead === this.#instead) return true;
      const kept = await history.versions(this.name);
      const version = kept.find(({ generation }) => generation === current.generation);
      if (version === undefined) return true;
      const isSame = version.version === active.kept.version;
      const compiled = isSame ? active.compiled : (await this.#compile(version)).compiled;
      this.#kept = kept;
      this.#active = { kept: version, compiled };
      this.#instead = current.instead;
      if (isSame) return true;
      this.#refusal = undefined;
      const kind = current.instead === undefined ? 'accepted' : 'rolled back';
      this.#surroundings.tell(this, { kind, version, warnings: [] });
      return true;
    });
  }

  /**
   * Takes a file's text, if it is new, or a module is there that it did not have before.
   * @returns false where it has to be taken again: it could not be kept
   */
  take(text: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const digest = digestOf(text);
      this.#text = digest;
      if (digest === this.#instead) return true;
      const { store } = this.#surroundings;
      const { generation } = store;
      if (this.#request?.text === digest && this.#request.generation === generation) return true;
      const input = inputOf(digest, requestedModule(text, store));
      if (input !== this.#judged) {
        this.#judged = input;
        if (!(await this.#settle(text, digest, await checkGatewayText(text, store)))) {
          this.#judged = undefined;
          return false;
        }
      }
      this.#request = { text: digest, generation };
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
   * @throws PluginServerError `unknown_gateway_version`, `module_gone`
   */
  rollBack(to?: string): Promise<Kept> {
    return this.#inTurn(async () => {
      const wanted = this.#wanted(to);
      if (wanted === undefined) {
        const known = this.#kept.map(({ generation }) => generation).join(', ');
        throw new PluginServerError('unknown_gateway_version', to ?? 'before', this.name, known || 'none');
      }
      const instead = this.#text ?? '';
      await this.#activate(wanted, instead);
      this.#instead = instead;
      this.#refusal = undefined;
      this.#warnings = [];
      this.#judged = undefined;
      this.#request = undefined;
      this.#surroundings.tell(this, { kind: 'rolled back', version: wanted });
      return wanted;
    });
  }

  #wanted(to: string | undefined): Kept | undefined {
    const active = this.#active;
    if (to === undefined) {
      const before = (each: Kept): boolean =>
        active === undefined || (each.generation < active.kept.generation && each.version !== active.compiled.version);
      return this.#kept.findLast(before);
    }
    const byGeneration = this.#kept.find(({ generation }) => String(generation) === to);
    return byGeneration ?? this.#kept.findLast(({ version }) => to.length >= 4 && version.startsWith(to));
  }

  /** @returns false where it could not be kept */
  async #settle(text: string, digest: string, { problems, accepted }: Checked): Promise<boolean> {
    if (accepted === undefined) {
      this.#refuse(problems);
      return true;
    }
    const { file, module } = accepted;
    const compiled = compile(file, module);
    if (compiled.version !== this.#active?.compiled.version) {
      const cause = this.#active !== undefined && digestOf(this.#active.kept.text) === digest ? 'module' : 'edit';
      const kept = this.#next(text, module, compiled, cause);
      try {
        await this.#keep(kept, module.bytes);
      } catch (error) {
        this.#refuse([problem('', `the version cannot be kept: ${reasonOf(error)}`)]);
        return false;
      }
      this.#active = { kept, compiled };
      this.#surroundings.tell(this, { kind: 'accepted', version: kept, warnings: problems });
    }
    this.#instead = undefined;
    this.#refusal = undefined;
    this.#warnings = problems;
    return true;
  }

  #next(text: string, { name, version, sha256 }: Kept['module'], compiled: Compiled, cause: Cause): Kept {
    const clusters = compiled.clusterSet.clusters.map(({ name, json }) => ({ name, json }));
    const generation = (this.#kept.at(-1)?.generation ?? 0) + 1;
    const module = { name, version, sha256 };
    return { generation, version: compiled.version, created: new Date().toISOString(), cause, text, module, clusters };
  }

  async #keep(kept: Kept, module: Uint8Array): Promise<void> {
    const { history } = this.#surroundings;
    await history.add(this.name, kept, module);
    await history.setCurrent(this.name, { generation: kept.generation });
    this.#kept.push(kept);
    while (this.#kept.length > historyLimit) {
      const [oldest] = this.#kept.splice(0, 1);
      if (oldest !== undefined) await history.remove(this.name, oldest.generation);
    }
  }

  /**
   * Gives out a version that was kept. A plugin server of another release may compile it otherwise, which makes it a
   * version of its own: what the kept one was stays known for the Envoys that have it.
   */
  async #activate(kept: Kept, instead?: string): Promise<void> {
    const { history } = this.#surroundings;
    const { compiled, bytes } = await this.#compile(kept);
    if (compiled.version === kept.version) {
      if (instead !== undefined) await history.setCurrent(this.name, { generation: kept.generation, instead });
      this.#active = { kept, compiled };
      return;
    }
    const renewed = this.#next(kept.text, kept.module, compiled, 'server');
    await this.#keep(renewed, bytes);
    if (instead !== undefined) await history.setCurrent(this.name, { generation: renewed.generation, instead });
    this.#active = { kept: renewed, compiled };
  }

  async #compile(kept: Kept): Promise<{ compiled: Compiled; bytes: Uint8Array }> {
    const { history, store } = this.#surroundings;
    const { name, version, sha256 } = kept.module;
    const bytes = (await history.module(sha256)) ?? fromStore(store, kept.module);
    if (bytes === undefined)
      throw new PluginServerError('module_gone', kept.generation, this.name, name, version, sha256);
    const file = parseGatewayFile(kept.text).configuration?.file;
    if (file === undefined) throw new Error('its configuration is not read any more');
    return { compiled: compile(file, { ...kept.module, bytes }), bytes };
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

/** The digest of the module that a text asks for, or why there is none. */
function requestedModule(text: string, store: ArtifactStore): string {
  const file = parseGatewayFile(text).configuration?.file;
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

function fromStore(store: ArtifactStore, wanted: Kept['module']): Uint8Array | undefined {
  const found = store.find(wanted);
  return found?.sha256 === wanted.sha256 ? found.bytes : undefined;
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function inputOf(text: string, module: string): string {
  return `${text} ${module}`;
}
