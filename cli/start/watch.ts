import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayServer } from '../../envoy/render/bootstrap.ts';
import { parseUpstream } from '../../envoy/render/upstream.ts';
import type { ServerState } from './survey.ts';
import { type AskedServer, asked } from './asked-server.ts';

/** What became of a server. */
export interface ServerChange {
  readonly name: string;
  /** `restarting`: a demo server that ended. */
  readonly state: 'up' | 'down' | 'restarting';
  /** How many tools it lists; only of one that is up, and not where it lists them to others alone. */
  readonly tools?: number;
  /** What is wrong, and the next step. */
  readonly problem?: string;
}

export interface Watched {
  readonly servers: readonly GatewayServer[];
  /** How each answered at the start. */
  readonly states: readonly ServerState[];
  readonly ask: (server: GatewayServer) => Promise<ServerState>;
  readonly tell: (change: ServerChange) => void;
  readonly signal: AbortSignal;
  /** Between two looks at a server on this machine, in ms; 2 s unless said otherwise. */
  readonly interval?: number;
}

/** A server elsewhere belongs to somebody: it is looked at this many times less often. */
const remoteFactor = 8;

/** One that is there and answers wrongly is asked again less and less often, at last after this many looks. */
const rarest = 32;

/** Looks for which a server that changed is let be: one that comes and goes fills no terminal. */
const quietLooks = 3;

/**
 * Tells when a server goes and when it comes back, until `signal` is aborted.
 *
 * A look opens a connection and closes it; only one that has come back, or that answered wrongly, is asked for its tools.
 * A change is told when two looks agree on it, and then no other one of that server for a while.
 */
export function watchServers(watched: Watched): void {
  for (const [index, entry] of watched.servers.entries()) {
    const server = asked(entry);
    if (server === undefined) continue;
    void watchServer(server, watched.states[index] ?? {}, watched).catch(() => undefined); // aborted
  }
}

async function watchServer(server: AskedServer, first: ServerState, watched: Watched): Promise<void> {
  const { ask, tell, signal, interval = 2_000 } = watched;
  const { address } = parseUpstream(server.url);
  const pause = interval * (isLocal(address.host) ? 1 : remoteFactor);
  let told = first;
  let quiet = 0;
  let looks = 0; // at a server that is there and was told to be wrong, since it was asked
  let patience = 1;
  for (;;) {
    await sleep(pause, undefined, { signal, ref: false });
    if (quiet-- > 0) continue;
    const isOpen = await opens(address, pause);
    const isAsTold = isOpen === (told.problem === undefined);
    if (isAsTold) {
      looks = 0;
      patience = 1;
      continue;
    }
    if (isOpen && ++looks < patience) continue;
    looks = 0;
    const now = await ask(server);
    if (now.problem === told.problem || signal.aborted) {
      patience = Math.min(2 * patience, rarest);
      continue;
    }
    // Its words may change with each answer: they are no reason to ask it more often.
    if (now.problem === undefined || told.problem === undefined) patience = 1;
    else patience = Math.min(2 * patience, rarest);
    told = now;
    quiet = quietLooks;
    tell(changeOf(server.name, now));
  }
}

function changeOf(name: string, { tools, problem }: ServerState): ServerChange {
  if (problem !== undefined) return { name, state: 'down', problem };
  return { name, state: 'up', ...(tools !== undefined && { tools: tools.length }) };
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** Whether something listens there; a name with several addresses is tried at all of them. */
function opens({ host, port }: { host: string; port: number }, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: true });
    const end = (isOpen: boolean) => (): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(Math.min(timeout, 3_000), end(false));
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}
