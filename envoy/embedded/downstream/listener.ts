import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import type { HostPort, Listener } from '../config/model.ts';
import type { Stats } from '../stats.ts';
import type { Address } from '../stream-info.ts';
import type { ManagerSurroundings } from './connection-manager.ts';
import { http1Server } from './http1.ts';
import { http2Server } from './http2.ts';
import { RequestStats } from './request-stats.ts';

export interface RunningListener {
  readonly name: string;
  /** The real port where 0 was asked for. */
  readonly address: HostPort;
  /** Ends it with all its connections. */
  close(): Promise<void>;
}

/** RFC 9113 §3.4 */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Shared by the listeners of a process. */
export interface Connections {
  next: number;
  active: number;
  readonly most: number;
}

/** Opens a listener for HTTP/1.x and HTTP/2 with prior knowledge on one port; its connections are dealt to the workers in turn. */
export async function startListener(
  { name, address, manager }: Listener,
  given: Omit<ManagerSurroundings, 'requests'> & { readonly stats: Stats },
  workers: number,
  connections: Connections,
): Promise<RunningListener> {
  const sockets = new Set<Socket>();
  const { stats } = given;
  const surroundings = { ...given, requests: new RequestStats(stats, manager.statPrefix) };
  const http1 = http1Server(surroundings);
  const http2 = http2Server(surroundings);
  const active = stats.gauge(`http.${manager.statPrefix}.downstream_cx_active`);
  const server = createServer({ noDelay: true }, (socket) => {
    if (connections.active >= connections.most) {
      socket.destroy();
      return;
    }
    const id = connections.next++;
    connections.active++;
    active.add(1n);
    const worker = id % workers;
    stats.counter(`http.${manager.statPrefix}.downstream_cx_total`).add(1n);
    stats.counter(`listener.${statName(localOf(socket))}.worker_${worker}.downstream_cx_total`).add(1n);
    const connection = { id, worker, remote: remoteOf(socket), local: localOf(socket) };
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      connections.active--;
      active.add(-1n);
    });
    socket.on('error', () => undefined); // its requests are told
    dispatch(socket, manager.codec, (version) => {
      (version === 2 ? http2 : http1)(socket, connection);
    });
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  return {
    name,
    address: { host: bound.address, port: bound.port },
    close: () => close(server, sockets),
  };
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

/** Looks at the first bytes of a connection, which stay to be read. */
function dispatch(socket: Socket, codec: 'AUTO' | 'HTTP1' | 'HTTP2', serve: (version: 1 | 2) => void): void {
  if (codec !== 'AUTO') {
    serve(codec === 'HTTP2' ? 2 : 1);
    return;
  }
  let seen = Buffer.alloc(0);
  const look = (bytes: Buffer): void => {
    seen = Buffer.concat([seen, bytes]);
    const compared = Math.min(seen.length, preface.length);
    const like = seen.subarray(0, compared).equals(preface.subarray(0, compared));
    if (like && seen.length < preface.length) return;
    socket.off('data', look);
    socket.pause();
    socket.unshift(seen);
    serve(like ? 2 : 1);
    if (!like) socket.resume(); // HTTP/2 takes what was read by itself
  };
  socket.on('data', look);
}

function remoteOf({ remoteAddress = '', remotePort = 0 }: Socket): Address {
  return { address: withoutMapping(remoteAddress), port: remotePort };
}

function localOf({ localAddress = '', localPort = 0 }: Socket): Address {
  return { address: withoutMapping(localAddress), port: localPort };
}

/** `127.0.0.1_10000`, `[__1]_10000` */
function statName({ address, port }: Address): string {
  return `${address.includes(':') ? `[${address.replaceAll(':', '_')}]` : address}_${port}`;
}

/** RFC 4291 §2.5.5.2: `::ffff:192.0.2.1` is 192.0.2.1. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
