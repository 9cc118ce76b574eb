import { newArena } from '../bytes/arena';
import { newList } from '../bytes/list';
import { Span, equals, literal, NONE } from '../bytes/span';
import { Gateway } from '../model/gateway';

/**
 * Names of servers and of their gateways as labels of metrics, numbered once for the life of this VM, as the metrics themselves are: the
 * tables in metrics.ts then outlive a change of the configuration. Only configured names come here, so it is small.
 */
const memory = newArena(1 << 10);
const servers = newList(memory);
/** Those of the same number; NONE where the gateway has no name of its own. */
const gateways = newList(memory);

/** The label where no server is concerned, or several; no server can have that name. */
const NO_SERVER = literal('-');

/** The number of what concerns no server, and comes before its gateway is known. */
export const UNKNOWN: u32 = 0;
servers.push(NO_SERVER);
gateways.push(NONE);

/** The numbers fit into a key of metrics.ts. */
const MAX_LABELS = 1 << 14;

export function labelGateway(gateway: Gateway): void {
  const name = gateway.isNamed ? gateway.name : NONE;
  gateway.label = numberOf(NO_SERVER, name);
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    server.label = numberOf(server.name, name);
  }
  const variants = gateway.variants;
  for (let i = 0; variants !== null && i < variants.count; i++) {
    const server = gateway.variantAt(i);
    server.label = gateway.serverAt(server.index).label;
  }
}

function numberOf(server: Span, gateway: Span): u32 {
  for (let i = 0; i < servers.count; i++) {
    if (equals(servers.at(i), server) && isSame(gateways.at(i), gateway)) return i;
  }
  if (servers.count === MAX_LABELS) return UNKNOWN;
  servers.push(memory.copy(server));
  gateways.push(gateway === NONE ? NONE : memory.copy(gateway));
  return (servers.count - 1) as u32;
}

function isSame(a: Span, b: Span): bool {
  return a === NONE || b === NONE ? a === b : equals(a, b);
}

export function serverText(label: u32): Span {
  return servers.at(label as i32);
}

/** NONE: none is shown. */
export function gatewayText(label: u32): Span {
  return gateways.at(label as i32);
}
