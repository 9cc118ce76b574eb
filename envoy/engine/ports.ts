import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { HostPort } from '../render/upstream.ts';

/**
 * Whether an address can be listened on, by trying. Envoy has to be asked for this first: its sockets share a port
 * (SO_REUSEPORT), so that a second Envoy on the same one would start, and take half of the first one's connections.
 * @returns undefined, or the system's code for what is in the way (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` …)
 */
export async function portDefect({ host, port }: HostPort): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
  }
}

/**
 * The address to listen on where a name was given, the first one of IPv4 if there is any: Envoy itself looks up no name
 * of a listener ("malformed IP address"). An address stays as it is.
 * @throws the system's error (`ENOTFOUND` …) where the name has none
 */
export async function listenAddress({ host, port }: HostPort): Promise<HostPort> {
  const { address } = await lookup(host, { order: 'ipv4first' });
  return { host: address, port };
}

/** The preferred port where it is free, else 0: any free one. */
export async function preferPort(preferred: HostPort): Promise<HostPort> {
  return (await portDefect(preferred)) === undefined ? preferred : { ...preferred, port: 0 };
}

/** Starts something on the preferred port, or on any free one where that is taken, even at the last moment. */
export async function onPreferredPort<T>(preferred: HostPort, start: (address: HostPort) => Promise<T>): Promise<T> {
  if ((await portDefect(preferred)) === undefined) {
    try {
      return await start(preferred);
    } catch (error) {
      if ((await portDefect(preferred)) === undefined) throw error; // it was not the port
    }
  }
  return start({ ...preferred, port: 0 });
}
