import { compareVersions, isRange, newestIn } from '../../common/version.ts';
import { checkName, checkVersion } from '../address.ts';
import { type Address, type Artifact, addressText } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import { nearest } from '../../common/nearest.ts';
import { type StoreLimits, storeLimits } from './limits.ts';

export type Outcome = 'created' | 'unchanged';

/** A signature that is to be kept. */
export interface NewSignature {
  readonly bytes: Buffer;
  /** Whether it takes the place of another one, which is kept already. */
  readonly replaces: (kept: Buffer) => boolean;
}

/** Where a store keeps what is published, so that it is there after a restart. */
export interface Persistence {
  /**
   * The signature is in place before the artifact is, so that none is ever there without it.
   * Throws `conflict` where the address is taken by other bytes, `signature_conflict`, `store_full` where there is no room.
   */
  write(artifact: Artifact, signature?: NewSignature): Promise<Outcome>;
  /** Throws `signature_conflict` where another one is kept that it does not replace, `store_full`. */
  writeSignature(artifact: Artifact, signature: NewSignature): Promise<Outcome>;
}

/** A version that is there and cannot be served. */
export interface Damage extends Address {
  /** What its bytes should have; absent where that is not known either. */
  readonly sha256?: string;
  readonly reason: string;
}

/** What a version needs to be given out. */
export interface Policy {
  /** Another value whenever an artifact may be judged otherwise. */
  readonly state: unknown;
  /** Why an artifact is not given out; undefined where it is. */
  refusal(artifact: Artifact, signature: Buffer | undefined): PluginServerError | undefined;
}

/** A version that is there, whole, and not given out. */
export interface Withheld extends Address {
  readonly refusal: PluginServerError;
}

/** What is given out, and what is not. */
interface View {
  readonly generation: number;
  readonly state: unknown;
  readonly plugins: ReadonlyMap<string, ReadonlyMap<string, Artifact>>;
  readonly withheld: ReadonlyMap<string, Withheld>;
  readonly count: number;
  readonly bytes: number;
}

/**
 * The artifacts of one server, by name and exact version. Lookups are in memory: no request reaches a file system.
 * What is in it stays; what is added is added once, whole. What a policy refuses is held, and not given out.
 */
export class ArtifactStore {
  readonly #plugins = new Map<string, Map<string, Artifact>>();
  /** The versions of each plugin, newest first, as far as somebody asked since the last one came. */
  readonly #ordered = new Map<string, readonly Artifact[]>();
  readonly #signatures = new Map<Artifact, Buffer>();
  readonly #damages = new Map<string, Damage>();
  readonly #persistence: Persistence | undefined;
  readonly #limits: StoreLimits;
  readonly #policy: Policy | undefined;
  #count = 0;
  #bytes = 0;
  #generation = 0;
  #last: View | undefined;

  /**
   * Without `persistence`, what is published lives as long as the process.
   * Throws `duplicate_artifact` where two artifacts have the same address.
   */
  constructor(
    artifacts: Iterable<Artifact>,
    persistence?: Persistence,
    limits: StoreLimits = storeLimits,
    policy?: Policy,
  ) {
    this.#persistence = persistence;
    this.#limits = limits;
    this.#policy = policy;
    for (const artifact of artifacts) {
      if (this.held(artifact) !== undefined) throw new PluginServerError('duplicate_artifact', addressText(artifact));
      this.add(artifact);
    }
  }

  /** Versions that are given out. */
  get count(): number {
    return this.#view().count;
  }

  /** Bytes of their modules together. */
  get bytes(): number {
    return this.#view().bytes;
  }

  /** Another number whenever what is given out has changed. */
  get generation(): number {
    this.#view();
    return this.#generation;
  }

  /** What is there, and is not given out as the policy refuses it. */
  get withheld(): readonly Withheld[] {
    return [...this.#view().withheld.values()];
  }

  get damages(): readonly Damage[] {
    return [...this.#damages.values()];
  }

  /** All names, in alphabetical order. */
  names(): string[] {
    return [...this.#view().plugins.keys()].sort();
  }

  /**
   * All versions of a plugin, newest first. Throws `invalid_name`, `unknown_plugin` with the nearest name, or
   * `no_plugin` where there is none at all.
   */
  versions(name: string): readonly Artifact[] {
    const versions = this.#versions(name);
    let ordered = this.#ordered.get(name);
    if (ordered === undefined) {
      ordered = [...versions.values()].sort((a, b) => compareVersions(b.version, a.version));
      this.#ordered.set(name, ordered);
    }
    return ordered;
  }

  /** What is given out at an address. */
  find({ name, version }: Address): Artifact | undefined {
    return this.#view().plugins.get(name)?.get(version);
  }

  /** What is there at an address, given out or not. */
  held({ name, version }: Address): Artifact | undefined {
    return this.#plugins.get(name)?.get(version);
  }

  /**
   * Throws as `versions` does, `invalid_version`, `damaged`, `withheld`, or `unknown_version` with the nearest version.
   */
  get(name: string, version: string): Artifact {
    const artifact = this.find({ name, version });
    if (artifact !== undefined) return artifact;
    checkName(name);
    checkVersion(version);
    const damage = this.damage({ name, version });
    if (damage !== undefined) throw new PluginServerError('damaged', addressText(damage), damage.reason);
    const refusal = this.#view().withheld.get(addressText({ name, version }))?.refusal;
    if (refusal !== undefined) throw refusal;
    const similar = nearest(version, this.versions(name).map(versionOf)) ?? '';
    throw new PluginServerError('unknown_version', version, name, similar, name);
  }

  /**
   * The newest version in `range`: `latest`, or what npm takes for one (`^0.1`, `1.x`, `>=1 <3`). Throws as `versions`
   * does, `invalid_version` for what is no range, or `no_match`.
   */
  newest(name: string, range: string): Artifact {
    const versions = this.versions(name).map(versionOf);
    if (!isRange(range)) throw new PluginServerError('invalid_version', JSON.stringify(range));
    const version = newestIn(versions, range);
    if (version === undefined) throw new PluginServerError('no_match', name, JSON.stringify(range), name);
    return this.get(name, version);
  }

  damage(address: Address): Damage | undefined {
    return this.#damages.get(addressText(address));
  }

  /** Takes an artifact in that is kept elsewhere, or need not be. Throws `conflict`. */
  add(artifact: Artifact): Outcome {
    if (this.#isKnown(artifact)) return 'unchanged';
    const { name, version, bytes } = artifact;
    const versions = this.#plugins.get(name) ?? new Map<string, Artifact>();
    this.#plugins.set(name, versions.set(version, artifact));
    this.#ordered.delete(name);
    this.#damages.delete(addressText(artifact));
    this.#count++;
    this.#bytes += bytes.length;
    this.#generation++;
    return 'created';
  }

  /**
   * Keeps an artifact, then serves it; a damaged one is repaired by its own bytes. Of two at the same time with other
   * bytes one is refused. Throws `conflict`, `damaged`, `signature_conflict`, `store_full`.
   * @param signature comes with it: the artifact is not there before it is signed
   */
  async publish(artifact: Artifact, signature?: Buffer): Promise<Outcome> {
    if (this.#isKnown(artifact)) {
      if (signature !== undefined) await this.sign(this.held(artifact) ?? artifact, signature);
      return 'unchanged';
    }
    this.#requireRoom(artifact);
    const kept = await this.#persistence?.write(artifact, signature && this.#newSignature(artifact, signature));
    const added = this.add(artifact);
    if (signature !== undefined) this.addSignature(this.held(artifact) ?? artifact, signature);
    // What is kept decides: of several at once one is the first there, whichever is the first here.
    return kept ?? added;
  }

  signature(artifact: Artifact): Buffer | undefined {
    return this.#signatures.get(artifact);
  }

  /** Takes a signature in that is kept elsewhere. The first one stays, unless it is why the artifact is withheld. */
  addSignature(artifact: Artifact, signature: Buffer): void {
    const first = this.#signatures.get(artifact);
    if (first !== undefined && (first.equals(signature) || !this.#view().withheld.has(addressText(artifact)))) return;
    this.#signatures.set(artifact, signature);
    this.#generation++;
  }

  /**
   * Keeps a signature. It takes the place of another one only where the policy refuses that one, and takes this one.
   * Throws `signature_conflict`, `store_full`.
   */
  async sign(artifact: Artifact, signature: Buffer): Promise<Outcome> {
    const held = this.#signatures.get(artifact);
    if (held?.equals(signature)) return 'unchanged';
    const wanted = this.#newSignature(artifact, signature);
    if (held !== undefined && !wanted.replaces(held)) {
      throw new PluginServerError('signature_conflict', addressText(artifact));
    }
    const outcome = (await this.#persistence?.writeSignature(artifact, wanted)) ?? 'created';
    this.addSignature(artifact, signature);
    return outcome;
  }

  /** Notes what is there and cannot be served. */
  addDamage(damage: Damage): void {
    if (this.held(damage) !== undefined) return;
    this.#damages.set(addressText(damage), damage);
    this.#generation++;
  }

  #newSignature(artifact: Artifact, bytes: Buffer): NewSignature {
    const isRefused = (signature: Buffer): boolean => this.#policy?.refusal(artifact, signature) !== undefined;
    return { bytes, replaces: (kept) => isRefused(kept) && !isRefused(bytes) };
  }

  /** Throws `conflict` where the address is taken by other bytes. */
  #isKnown(artifact: Artifact): boolean {
    const known = this.held(artifact);
    const taken = known?.sha256 ?? this.damage(artifact)?.sha256;
    if (taken !== undefined && taken !== artifact.sha256) {
      throw new PluginServerError('conflict', addressText(artifact), taken);
    }
    return known !== undefined;
  }

  #requireRoom(artifact: Artifact): void {
    const { artifacts, bytes } = this.#limits;
    const full =
      this.#count >= artifacts
        ? `it holds ${artifacts} versions`
        : this.#bytes + artifact.bytes.length > bytes
          ? `it holds ${this.#bytes} of ${bytes} bytes`
          : undefined;
    if (full !== undefined) throw new PluginServerError('store_full', addressText(artifact), full);
  }

  /** What is given out of what is held, judged anew where either has changed, or the policy. */
  #view(): View {
    const policy = this.#policy;
    const last = this.#last;
    if (last?.generation === this.#generation && last.state === policy?.state) return last;
    this.#ordered.clear();
    // Whoever watches the store is to look again.
    if (last !== undefined && last.state !== policy?.state) this.#generation++;
    const withheld = policy === undefined ? new Map<string, Withheld>() : this.#refusedBy(policy);
    const plugins = withheld.size === 0 ? this.#plugins : without(this.#plugins, withheld);
    const bytes = [...withheld.values()].reduce((sum, each) => sum + (this.held(each)?.bytes.length ?? 0), 0);
    this.#last = {
      generation: this.#generation,
      state: policy?.state,
      plugins,
      withheld,
      count: this.#count - withheld.size,
      bytes: this.#bytes - bytes,
    };
    return this.#last;
  }

  #refusedBy(policy: Policy): Map<string, Withheld> {
    const refused = new Map<string, Withheld>();
    for (const artifact of [...this.#plugins.values()].flatMap((versions) => [...versions.values()])) {
      const refusal = policy.refusal(artifact, this.#signatures.get(artifact));
      const { name, version } = artifact;
      if (refusal !== undefined) refused.set(addressText(artifact), { name, version, refusal });
    }
    return refused;
  }

  #versions(name: string): ReadonlyMap<string, Artifact> {
    const { plugins, withheld } = this.#view();
    const versions = plugins.get(name);
    if (versions !== undefined) return versions;
    checkName(name);
    const refused = [...withheld.values()].find((each) => each.name === name);
    if (refused !== undefined) throw refused.refusal;
    const similar = nearest(name, plugins.keys());
    throw similar === undefined
      ? new PluginServerError('no_plugin', name)
      : new PluginServerError('unknown_plugin', name, similar);
  }
}

function versionOf({ version }: Artifact): string {
  return version;
}

/** @returns plugins that have any version left */
function without(
  plugins: ReadonlyMap<string, ReadonlyMap<string, Artifact>>,
  withheld: ReadonlyMap<string, Withheld>,
): Map<string, Map<string, Artifact>> {
  const left = new Map<string, Map<string, Artifact>>();
  for (const [name, versions] of plugins) {
    const kept = [...versions].filter(([, artifact]) => !withheld.has(addressText(artifact)));
    if (kept.length > 0) left.set(name, new Map(kept));
  }
  return left;
}
