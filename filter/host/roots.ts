import { newArena } from '../bytes/arena';
import { equals, literal } from '../bytes/span';
import { newTable, Table } from '../bytes/table';
import { Gateway } from '../model/gateway';
import { parseGateway } from '../config/parse';
import { read } from './buffers';
import { environment } from './environment';
import { logExplanation } from './explanation';
import { Generation, newGeneration } from './generation';
import { labelGateway } from './labels';
import { Level, line, log } from './log';
import { showConfig } from './metrics';
import { forgetSaid } from './once';
import { property } from './properties';
import { closeQueue, openQueue, Queue } from './queue';
import { Role, isHolder, onlyHolds, roleOf } from './role';
import { FAST_TICK, forgetTick, tickEach } from './tick';
import { unwatch } from './watch';
import { Buffer } from './status';

/** One plugin configuration in this VM. An old one lives on until its last stream is gone. */
@unmanaged
export class Root {
  /** What requests that begin now are served with. */
  generation: Generation;
  role: Role;
  /** For roles that have to come back to a request after its last callback, else null. */
  queue: Queue | null;
  /** A body came while its headers were held, so the host does what the mode needs. */
  seesBodies: bool;
  /** Host mode `headers`: none came to a request that was held, so none is waited for any more. */
  lacksBodies: bool;
  /** Open event streams, see cancelled-streams.ts: whether there may be some, the last look at them, the last mark then. */
  hasOpen: bool;
  lookedAt: u64;
  latestCancellation: u64;
  /** The digest of the catalog that its generation is made of; 0: of none. See catalog.ts. */
  catalogDigest: u64;
  /** That of a catalog that none could be made of; 0: there was none. */
  refusedDigest: u64;

  get gateway(): Gateway {
    return this.generation.gateway;
  }

  /** Requests that begin from now on are served with another one; those under way keep theirs. */
  renew(generation: Generation): void {
    this.generation.retire();
    this.generation = generation;
  }
}

const roots: Table = newTable();
const BLOCK: usize = 16 << 10;

const REFUSED = literal('configuration refused: ');
const WARNING = literal('configuration: ');
const EMPTY = literal('{}');
/** The root id under which a configuration is explained, and never served. */
const EXPLAINER = literal('sluice-explainer');
const ROOT_ID = literal('plugin_root_id');

export function rootOf(id: u32): Root | null {
  return changetype<Root | null>(roots.get(id));
}

/** Nothing is logged for what has no configuration in this VM. */
export function logLevelOf(id: u32): u32 {
  const root = rootOf(id);
  return root === null ? Level.Critical : root.gateway.logLevel;
}

/** What a filter of this root does; one that has no configuration does what it can. */
export function roleIn(id: u32): Role {
  const root = rootOf(id);
  return root === null ? Role.Hold : root.role;
}

/** False: refused, every reason in the log. Depends on the configuration and the environment alone. */
export function configure(id: u32, size: u32): bool {
  const arena = newArena(BLOCK);
  const text = size === 0 ? EMPTY : arena.copy(read(Buffer.PluginConfiguration, 0, size as usize));
  const rootId = property(ROOT_ID);
  if (equals(rootId, EXPLAINER)) {
    logExplanation(text, arena);
    return false;
  }
  const holder = isHolder(rootId);
  const variables = environment(arena);
  const parsed = parseGateway(text, variables, arena, holder);
  for (let i = 0; i < parsed.problems.lines.count; i++) {
    log(Level.Error, line().bytes(REFUSED).bytes(parsed.problems.lines.at(i)).written);
  }
  for (let i = 0; i < parsed.problems.warnings.count; i++) {
    const text = line().bytes(WARNING).bytes(parsed.problems.warnings.at(i)).written;
    log(Level.Warn, text, parsed.gateway.logLevel);
  }
  if (parsed.problems.lines.count > 0) {
    showConfig(false);
    arena.dispose();
    return false;
  }
  forget(id);
  labelGateway(parsed.gateway);
  showConfig(true);
  const root = changetype<Root>(heap.alloc(offsetof<Root>()));
  root.generation = newGeneration(parsed.gateway, text, variables, arena);
  root.role = roleOf(parsed.gateway.hostMode, holder);
  root.queue = onlyHolds(root.role) ? null : openQueue();
  root.seesBodies = false;
  root.lacksBodies = false;
  root.hasOpen = false;
  root.lookedAt = 0;
  root.latestCancellation = 0;
  root.catalogDigest = 0;
  root.refusedDigest = 0;
  roots.set(id, changetype<usize>(root));
  if (parsed.gateway.catalogSource !== null) tickEach(id, FAST_TICK);
  return true;
}

/** Whether there was such a root. */
export function forget(id: u32): bool {
  const root = changetype<Root | null>(roots.take(id));
  if (root === null) return false;
  root.generation.retire();
  if (root.queue !== null) closeQueue(root.queue!);
  unwatch(id);
  forgetTick(id);
  forgetSaid(id);
  heap.free(changetype<usize>(root));
  return true;
}
