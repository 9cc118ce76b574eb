// A port that refuses connections and that nobody else can take: the local end of a connection to ourselves.
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

/**
 * Whoever stops listening gives the port away: the system hands it to the next program that asks for any. One that an own
 * connection comes from has no listener, so that it refuses, and is handed to nobody.
 * @param host an address of this machine, where the port is free
 * @returns lets it go again, so that one can listen there
 */
export async function holdPort(host: string, port: number): Promise<() => Promise<void>> {
  const peer = createServer((accepted) => accepted.unref().on('error', () => undefined)).unref();
  peer.listen(0, host);
  await once(peer, 'listening');
  const socket = connect({ host, port: (peer.address() as AddressInfo).port, localAddress: host, localPort: port });
  socket.on('error', () => undefined);
  await once(socket.unref(), 'connect');
  return () => end(socket, peer.close.bind(peer));
}

async function end(socket: Socket, closePeer: () => void): Promise<void> {
  const closed = once(socket, 'close');
  socket.resetAndDestroy();
  await closed;
  closePeer();
}
