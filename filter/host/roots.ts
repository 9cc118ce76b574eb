import { Arena, newArena } from '../bytes/arena';
import { literal } from '../bytes/span';
import { newTable, Table } from '../bytes/table';
import { Gateway } from '../config/gateway';
import { parseGateway } from '../config/parse';
import { read } from './buffers';
import { environment } from './environment';
import { labelServers } from './labels';
import { Level, line, log } from './log';
import { showConfig } from './metrics';
import { Buffer } from './status';

/** One plugin configuration in this VM. An old one lives on until its last stream is gone. */
@unmanaged
export class Root {
  gateway: Gateway;
  arena: Arena;
}

const roots: Table = newTable();
const BLOCK: usize = 16 << 10;

const REFUSED = literal('configuration refused: ');
const WARNING = literal('configuration: ');
const EMPTY = literal('{}');

export function rootOf(id: u32): Root | null {
  return changetype<Root | null>(roots.get(id));
}

/** False: refused, every reason in the log. Depends on the configuration and the environment alone. */
export function configure(id: u32, size: u32): bool {
  const arena = newArena(BLOCK);
  const text = size === 0 ? EMPTY : arena.copy(read(Buffer.PluginConfiguration, 0, size as usize));
  const parsed = parseGateway(text, environment(arena), arena);
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
  showConfig(true);
  labelServers(parsed.gateway);
  const root = changetype<Root>(heap.alloc(offsetof<Root>()));
  root.gateway = parsed.gateway;
  root.arena = arena;
  roots.set(id, changetype<usize>(root));
  return true;
}

/** Whether there was such a root. */
export function forget(id: u32): bool {
  const root = changetype<Root | null>(roots.take(id));
  if (root === null) return false;
  root.arena.dispose();
  heap.free(changetype<usize>(root));
  return true;
}
