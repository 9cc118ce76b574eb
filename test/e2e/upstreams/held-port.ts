// A port that refuses connections and that nobody else can take: the local end of a connection that its listener accepted.
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect } from 'node:net';

/**
 * Stops listening, and keeps the port. Whoever only stops gives the port away: the system hands it to the next program that
 * asks for any. One that a connection ends at has no listener, so that it refuses, and is handed to nobody; the connection
 * is made before the listening ends, so that there is no moment in between.
 * @param server one that listens, whatever it speaks; connections that it has are its caller's to end
 * @returns lets the port go, so that the server can listen there again
 */
export async function stopListening(server: Server): Promise<() => Promise<void>> {
  const { address: host, port } = server.address() as AddressInfo;
  // What the server makes of a connection is nothing for this one.
  const usual = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const accepted: Socket[] = [];
  server.on('connection', (socket: Socket) => accepted.push(socket.on('error', () => undefined).unref()));
  const own = connect({ host, port });
  await once(own.on('error', () => undefined).unref(), 'connect');
  const isOwn = (socket: Socket): boolean => socket.remotePort === own.localPort;
  while (!accepted.some(isOwn)) await once(server, 'connection');
  server.close();
  server.removeAllListeners('connection');
  for (const listener of usual) server.on('connection', listener);
  for (const socket of accepted) if (!isOwn(socket)) socket.destroy();
  const held = accepted.filter(isOwn);
  return async () => {
    await Promise.all(held.map(end));
  };
}

async function end(socket: Socket): Promise<void> {
  const closed = once(socket, 'close');
  socket.resetAndDestroy();
  await closed;
}
