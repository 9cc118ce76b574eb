import { setTimeout as sleep } from 'node:timers/promises';
import { renameSync, writeFileSync } from 'node:fs';
import { type DiscoveredFilter, discoveredFilters, frameOf } from '../../envoy/render/discovered.ts';
import type { Bootstrap } from '../../envoy/render/bootstrap.ts';
import { stampOf } from '../../plugin-server/watch/stamp.ts';

/** What became of an edit of the configuration. */
export interface Edit {
  /** The files that were edited, as the command line names them. */
  readonly files: readonly string[];
  /** `refused`, `restart`: what was there before goes on. */
  readonly state: 'live' | 'refused' | 'restart';
  /** What is wrong, or what takes a restart. */
  readonly problem?: string;
}

export interface Edits {
  readonly files: readonly string[];
  /** What the gateway runs now. */
  readonly bootstrap: Bootstrap;
  /** Reads the files, and checks what they say as at the start. @throws Error with what is wrong */
  readonly read: () => Promise<Bootstrap>;
  readonly pathOf: (filter: string) => string;
  readonly adminUrl: string;
  readonly tell: (edit: Edit) => void;
  readonly signal: AbortSignal;
}

/** Between two looks at the files, ms; an editor has to let a file be for as long. */
const interval = 500;

/** How long the engine may take to have a filter that it was given, ms. */
const reloadTimeout = 15_000;

const beyond =
  'it changes more than what the module itself reads (where servers are, their names, endpoint, hostMode, auth, ' +
  'limits.heldBody, or the environment variables that it names): end this command and start it again';

/** Gives the filters to the engine: it takes a rename for a change. */
export function writeFilters(filters: readonly DiscoveredFilter[], pathOf: (filter: string) => string): void {
  for (const { name, text } of filters) {
    const path = pathOf(name);
    writeFileSync(`${path}.next`, text, { mode: 0o600 });
    renameSync(`${path}.next`, path);
  }
}

/** Puts each edit of the files into the running gateway, until `signal` is aborted. */
export function followEdits(edits: Edits): void {
  void follow(edits).catch(() => undefined); // aborted
}

async function follow({ files, read, pathOf, adminUrl, tell, signal, ...first }: Edits): Promise<void> {
  const stamps = (): Promise<string[]> => Promise.all(files.map((file) => stampOf(file)));
  let running = first.bootstrap;
  let taken = await stamps();
  let seen = taken;
  for (;;) {
    await sleep(interval, undefined, { signal, ref: false });
    const now = await stamps();
    const isQuiet = now.every((stamp, index) => stamp === seen[index]);
    const edited = files.filter((_, index) => now[index] !== taken[index]);
    seen = now;
    if (edited.length === 0 || !isQuiet) continue;
    taken = now;
    const state = await take(edited);
    if (!signal.aborted) tell({ files: edited, ...state });
  }

  async function take(edited: readonly string[]): Promise<Omit<Edit, 'files'>> {
    try {
      const next = await read();
      if (frameOf(next) !== frameOf(running)) return { state: 'restart', problem: beyond };
      const before = new Set(discoveredFilters(running).map(({ text }) => text));
      const changed = discoveredFilters(next).filter(({ text }) => !before.has(text));
      const reloads = await reloadsOf(adminUrl);
      writeFilters(changed, pathOf);
      running = next;
      if (changed.length > 0) await untilReloaded(reloads + changed.length);
      return { state: 'live' };
    } catch (error) {
      const { message, details = [] } = error as Error & { details?: readonly string[] };
      const lines = [message, ...details].map((line) => line.trim());
      return { state: 'refused', problem: `${lines.join('; ')} (${edited.join(', ')})` };
    }
  }

  async function untilReloaded(count: number): Promise<void> {
    const deadline = Date.now() + reloadTimeout;
    while ((await reloadsOf(adminUrl)) < count) {
      if (Date.now() > deadline) throw new Error('the engine does not take the edit: see its log');
      await sleep(100, undefined, { signal, ref: false });
    }
  }
}

/** How often the engine has taken a filter from a file. */
async function reloadsOf(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/stats`)).text();
  const counters = text.matchAll(/^extension_config_discovery\.http_filter\.\S*config_reload: (\d+)$/gm);
  return [...counters].reduce((sum, [, value]) => sum + Number(value), 0);
}
