import type { History, Versioned } from './history.ts';

/** How many versions of a thing are kept. */
export const historyLimit = 20;

/** The versions of one thing, and the rollback that keeps its source from being taken. */
export class Versions<Kept extends Versioned> {
  readonly #name: string;
  readonly #history: History<Kept>;
  #kept: Kept[] = [];
  #instead: string | undefined;

  constructor(name: string, history: History<Kept>) {
    this.#name = name;
    this.#history = history;
  }

  /** Oldest first. */
  get all(): readonly Kept[] {
    return this.#kept;
  }

  /** The digest of the source that a rollback turned away from, as long as that holds. */
  get instead(): string | undefined {
    return this.#instead;
  }

  /** Takes up what the history has. @returns the version that is given out */
  async restore(): Promise<Kept | undefined> {
    this.#kept = await this.#history.versions(this.#name);
    const current = await this.#history.current(this.#name);
    const kept = this.#kept.find(({ generation }) => generation === current?.generation);
    if (kept !== undefined) this.#instead = current?.instead;
    return kept;
  }

  /**
   * Looks whether another plugin server, which shares the folder of the history, gives out another version by now.
   * @param given what is given out here
   * @returns `undefined` where it is the same
   */
  async elsewhere(given: Kept): Promise<{ kept: Kept; take: () => void } | undefined> {
    const current = await this.#history.current(this.#name);
    if (current === undefined) return undefined;
    if (current.generation === given.generation && current.instead === this.#instead) return undefined;
    const all = await this.#history.versions(this.#name);
    const kept = all.find(({ generation }) => generation === current.generation);
    if (kept === undefined) return undefined;
    const take = (): void => {
      this.#kept = all;
      this.#instead = current.instead;
    };
    return { kept, take };
  }

  /**
   * Keeps a new version, which is given out from now on, and ends a rollback; the oldest ones beyond the limit go.
   * @param make the version, as the one of a generation
   */
  async keep(make: (generation: number) => Kept): Promise<Kept> {
    const kept = await this.#add(make);
    await this.#history.setCurrent(this.#name, { generation: kept.generation });
    this.#instead = undefined;
    if (this.#kept.at(-1)?.generation !== kept.generation) this.#kept.push(kept);
    while (this.#kept.length > historyLimit) {
      const [oldest] = this.#kept.splice(0, 1);
      if (oldest !== undefined) await this.#history.remove(this.#name, oldest.generation);
    }
    return kept;
  }

  /**
   * Another plugin server, which shares the folder of the history, may have kept versions meanwhile: none of them is written
   * over, and the same edit is the same version for both.
   */
  async #add(make: (generation: number) => Kept): Promise<Kept> {
    for (let generation = this.#highest + 1; ; generation = Math.max(generation, this.#highest) + 1) {
      const kept = make(generation);
      if (await this.#history.add(this.#name, kept)) return kept;
      this.#kept = await this.#history.versions(this.#name);
      const last = this.#kept.at(-1);
      if (last !== undefined && last.generation >= generation && last.version === kept.version) return last;
    }
  }

  get #highest(): number {
    return this.#kept.at(-1)?.generation ?? 0;
  }

  /** Puts a version in the place of the one of its generation. */
  async amend(kept: Kept): Promise<void> {
    await this.#history.put(this.#name, kept);
    const index = this.#kept.findIndex(({ generation }) => generation === kept.generation);
    if (index >= 0) this.#kept[index] = kept;
  }

  /** Gives out a version that is kept, in place of what the source says. */
  async choose({ generation }: Kept, instead: string): Promise<void> {
    await this.#history.setCurrent(this.#name, { generation, instead });
    this.#instead = instead;
  }

  /** The source is another one than a rollback turned away from, and comes to what is given out. */
  async endRollback({ generation }: Kept): Promise<void> {
    if (this.#instead === undefined) return;
    await this.#history.setCurrent(this.#name, { generation });
    this.#instead = undefined;
  }

  /**
   * The version that somebody means.
   * @param to a generation, or the beginning of a version; by default the one before what is given out
   */
  find(to: string | undefined, given: Versioned | undefined): Kept | undefined {
    if (to === undefined) {
      const isBefore = (each: Kept): boolean =>
        given === undefined || (each.generation < given.generation && each.version !== given.version);
      return this.#kept.findLast(isBefore);
    }
    const byGeneration = this.#kept.find(({ generation }) => String(generation) === to);
    return byGeneration ?? this.#kept.findLast(({ version }) => to.length >= 4 && version.startsWith(to));
  }

  /** For a message. */
  get known(): string {
    return this.#kept.map(({ generation }) => generation).join(', ') || 'none';
  }
}
