import { newArena } from '../bytes/arena';
import { newList } from '../bytes/list';
import { Span, equals, literal } from '../bytes/span';
import { Gateway } from '../config/gateway';

/**
 * Names of servers as labels of metrics, numbered once for the life of this VM, as the metrics themselves are: the
 * tables in metrics.ts then outlive a change of the configuration. Only configured names come here, so it is small.
 */
const memory = newArena(1 << 10);
const labels = newList(memory);

/** Of what concerns no server, or several; no server can have that name. */
export const NO_SERVER: u32 = 0;
labels.push(literal('-'));

/** The numbers fit into a key of metrics.ts. */
const MAX_LABELS = 1 << 14;

export function labelServers(gateway: Gateway): void {
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    server.label = numberOf(server.name);
  }
}

function numberOf(name: Span): u32 {
  for (let i = 1; i < labels.count; i++) if (equals(labels.at(i), name)) return i;
  if (labels.count === MAX_LABELS) return NO_SERVER;
  labels.push(memory.copy(name));
  return (labels.count - 1) as u32;
}

export function labelText(label: u32): Span {
  return labels.at(label as i32);
}
