import { networkInterfaces } from 'node:os';

/**
 * An origin that others can reach, for one whose host may stand for all addresses: then it gets the first one of this
 * machine that is not its own alone, IPv4 before IPv6, or loopback where there is none.
 */
export function reachableOrigin(origin: string): string {
  const url = new URL(origin);
  if (url.hostname !== '0.0.0.0' && url.hostname !== '[::]') return url.origin;
  const others = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address)),
  );
  const address = (others.find(({ family }) => family === 'IPv4') ?? others[0])?.address ?? '127.0.0.1';
  url.hostname = address.includes(':') ? `[${address}]` : address;
  return url.origin;
}
