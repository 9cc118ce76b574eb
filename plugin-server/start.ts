import type { Server as TlsServer } from 'node:tls';
import { type ErrorCode, PluginServerError } from './errors.ts';
import { type PluginServerOptions, createPluginServer } from './server.ts';

export interface RunningPluginServer {
  /** The origin, like `http://127.0.0.1:8801`, with the port that was really taken. */
  readonly url: string;
  /** Takes no new connections, lets downloads finish within the drain timeout, and closes everything. */
  readonly close: () => Promise<void>;
  /**
   * Uses another certificate for the connections that come from now on. Throws where certificate and key cannot be used
   * or do not belong together; then the ones before stay. Only for a server that was started with TLS.
   */
  readonly renewTls: (tls: { readonly cert: string; readonly key: string }) => void;
}

/**
 * Connections that may wait to be accepted. Node's default of 511 is full when a fleet starts at once, and who finds it
 * full tries again a second later. The system allows less where net.core.somaxconn says so.
 */
const backlog = 4096;

/** What `listen` fails with, by the system's error code. */
const listenErrors: Readonly<Record<string, ErrorCode>> = {
  EADDRINUSE: 'port_taken',
  EACCES: 'port_forbidden',
  EADDRNOTAVAIL: 'address_unavailable',
  EAI_AGAIN: 'address_unavailable',
  ENOTFOUND: 'address_unavailable',
};

/**
 * Starts a plugin server on `host`, an address of this machine or a name of one, and `port`, 0 for any free one.
 * Throws `port_taken`, `port_forbidden`, `address_unavailable`, or what `createPluginServer` throws.
 */
export async function startPluginServer(
  options: PluginServerOptions & { readonly host: string; readonly port: number },
): Promise<RunningPluginServer> {
  const { host, port } = options;
  const app = createPluginServer(options);
  try {
    await app.listen({ host, port, backlog });
  } catch (error) {
    await app.close();
    const code = listenErrors[(error as NodeJS.ErrnoException).code ?? ''];
    throw code === undefined
      ? error
      : new PluginServerError(code, host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
  }
  return {
    url: app.listeningOrigin,
    close: async () => app.close(),
    renewTls: (tls) => {
      (app.server as unknown as TlsServer).setSecureContext(tls);
    },
  };
}
