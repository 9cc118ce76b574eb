import { type Address, type Artifact, addressText } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { ArtifactStore, type Damage, type Policy, type Withheld } from './artifact-store.ts';
import { invalidTree, PluginTree } from './directory.ts';
import { DiskStore, type Found } from './disk.ts';
import { reasonOf } from './files.ts';
import { StoreLayout } from './layout.ts';
import { removeLeftovers } from './leftovers.ts';

export interface OpenStore {
  readonly store: ArtifactStore;
  /** Whether it can be published to. */
  readonly isWritable: boolean;
  /** What is on disk by now and cannot be used, a line each; the damaged ones are in the store. */
  readonly problems: () => readonly string[];
  /** Looks for what other processes, or people, have put there meanwhile. Never rejects. */
  readonly refresh: () => Promise<void>;
  /** Ends the regular looks; the store stays as it is. */
  readonly close: () => void;
}

interface OpenOptions {
  readonly log: Log;
  /** What a version needs to be given out; by default nothing. */
  readonly policy?: Policy;
  /** Milliseconds between two looks at the directory; by default 5 s. A watch would miss what NFS and mounts do. */
  readonly interval?: number;
}

/**
 * Reads a data directory: what was published to it (`DiskStore`), and the tree of modules that was put there by hand
 * (`PluginTree`). From then on, what is added to it is noticed, and what is removed is served on until a restart: a
 * volume that goes away takes nothing with it.
 *
 * Throws `data_unreadable`; `data_invalid` where the tree has anything in it that cannot be served, or both have a
 * version with other bytes. A published version that is damaged is noted in the store, and the others are served.
 */
export async function openStore(directory: string, { log, policy, interval = 5_000 }: OpenOptions): Promise<OpenStore> {
  const disk = new DiskStore(directory);
  const tree = new PluginTree(directory);
  const isWritable = await disk.isWritable();
  const store = new ArtifactStore([], disk, undefined, policy);

  const scan = async (): Promise<string[]> => {
    const problems: string[] = [];
    const { problems: unusable, ...byHand } = await tree.scan((address) => store.held(address));
    const published = await disk.scan((address) => signedState(store, address));
    for (const artifact of [...published.artifacts, ...byHand.artifacts]) {
      const problem = addOrTell(store, artifact);
      if (problem !== undefined) problems.push(problem);
    }
    takeIn(store, [published, byHand]);
    return [...unusable, ...problems];
  };

  let problems: readonly string[] = await scan().catch((error: unknown) => {
    if (error instanceof PluginServerError) throw error;
    throw new PluginServerError('data_unreadable', directory, reasonOf(error));
  });
  if (problems.length > 0) throw invalidTree(directory, problems);
  for (const damage of store.damages) tellDamage(log, damage);
  for (const each of store.withheld) tellWithheld(log, each);
  // Not waited for: nobody needs what it removes.
  if (isWritable) {
    void removeLeftovers(new StoreLayout(directory)).catch((error: unknown) => {
      log.warn({ directory }, `what killed publications left could not be removed: ${reasonOf(error)}`);
    });
  }

  let withheld: ReadonlySet<string> = new Set(store.withheld.map(({ refusal }) => refusal.message));
  const rescan = async (): Promise<void> => {
    const before = { count: store.count, damages: new Set(store.damages), problems: new Set(problems), withheld };
    problems = await scan().catch((error: unknown) => [`${directory}: ${reasonOf(error)}`]);
    for (const problem of problems) if (!before.problems.has(problem)) log.error({ directory }, problem);
    for (const damage of store.damages) if (!before.damages.has(damage)) tellDamage(log, damage);
    withheld = new Set(store.withheld.map(({ refusal }) => refusal.message));
    for (const each of store.withheld) if (!before.withheld.has(each.refusal.message)) tellWithheld(log, each);
    if (store.count > before.count) log.info({ versions: store.count }, 'the data directory has new versions');
  };
  let looking: Promise<void> | undefined;
  const refresh = (): Promise<void> =>
    (looking ??= rescan().finally(() => {
      looking = undefined;
    }));
  const timer = setInterval(() => void refresh(), interval).unref();
  const close = (): void => {
    clearInterval(timer);
  };
  return { store, isWritable, problems: () => problems, refresh, close };
}

function signedState(store: ArtifactStore, address: Address): { signed: boolean } | undefined {
  const artifact = store.held(address);
  // What is withheld may be signed anew by another process.
  return artifact && { signed: store.signature(artifact) !== undefined && store.find(address) !== undefined };
}

function addOrTell(store: ArtifactStore, artifact: Artifact): string | undefined {
  try {
    store.add(artifact);
    return undefined;
  } catch (error) {
    if (!(error instanceof PluginServerError) || error.code !== 'conflict') throw error;
    return `${addressText(artifact)}: ${error.message}`;
  }
}

function takeIn(store: ArtifactStore, founds: readonly Pick<Found, 'damages' | 'signatures'>[]): void {
  for (const { damages, signatures } of founds) {
    for (const damage of damages) store.addDamage(damage);
    for (const { signature, ...address } of signatures) {
      const artifact = store.held(address);
      if (artifact !== undefined) store.addSignature(artifact, signature);
    }
  }
}

function tellWithheld(log: Log, { name, version, refusal }: Withheld): void {
  log.error({ plugin: name, version }, refusal.message);
}

function tellDamage(log: Log, damage: Damage): void {
  log.error({ plugin: damage.name, version: damage.version }, damagedText(damage));
}

export function damagedText(damage: Damage): string {
  return new PluginServerError('damaged', addressText(damage), damage.reason).message;
}
