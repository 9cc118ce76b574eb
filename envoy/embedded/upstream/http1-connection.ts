import type { Socket } from 'node:net';
import type { HostPort } from '../config/model.ts';
import type { Connector } from './connect.ts';

/** Who uses a connection now. */
export interface ConnectionUser {
  onConnected(): void;
  onRead(bytes: Buffer): void;
  /** Its other end has ended it. */
  onEnded(): void;
  /** It is gone. @param error undefined: it was closed in order */
  onGone(error: Error | undefined): void;
  /** What was written is out. */
  onDrain(): void;
}

/**
 * One connection of HTTP/1.1 to an endpoint, which one exchange at a time uses. What happens on it is told to that one, so
 * that nothing has to be connected and disconnected for each request.
 */
export class Http1Connection {
  readonly host: HostPort;
  readonly #socket: Socket;
  readonly #idleTimeout: number;
  #user: ConnectionUser | undefined;
  #isConnected = false;

  /**
   * @param idleTimeout ms
   * @param onClosed told once, when it can be used no more
   */
  constructor(connector: Connector, host: HostPort, idleTimeout: number, onClosed: () => void) {
    this.host = host;
    this.#idleTimeout = idleTimeout;
    const socket = connector.open(host);
    this.#socket = socket;
    socket.setTimeout(idleTimeout);
    socket.once(connector.connectedEvent, () => {
      this.#isConnected = true;
      this.#user?.onConnected();
    });
    socket.on('data', (bytes: Buffer) => {
      if (this.#user === undefined)
        socket.destroy(); // nothing was asked for
      else this.#user.onRead(bytes);
    });
    socket.on('end', () => {
      if (this.#user === undefined) socket.destroy();
      else this.#user.onEnded();
    });
    socket.on('error', (error) => {
      this.#user?.onGone(error);
    });
    socket.on('close', () => {
      onClosed();
      this.#user?.onGone(undefined);
    });
    socket.on('drain', () => {
      this.#user?.onDrain();
    });
    socket.on('timeout', () => {
      if (this.#user === undefined) socket.destroy();
    });
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Whether a request may be written to it, and nothing is still to go out. */
  get isFree(): boolean {
    return this.#socket.writable && this.#socket.writableLength === 0;
  }

  use(user: ConnectionUser): void {
    this.#user = user;
  }

  /** Waits for another request. @param most ms that its other end says it will wait */
  rest(most: number): void {
    this.#user = undefined;
    const { timeout } = this.#socket;
    const wanted = Math.min(this.#idleTimeout || Infinity, most);
    const idle = Number.isFinite(wanted) ? wanted : 0;
    if (timeout !== idle) this.#socket.setTimeout(idle);
    this.#socket.resume();
  }

  /** @returns false: slow; `onDrain` tells when it has caught up */
  write(head: string, chunks: readonly Uint8Array[], end: string): boolean {
    const socket = this.#socket;
    socket.cork();
    let room = head === '' || socket.write(head, 'latin1');
    for (const chunk of chunks) room = socket.write(chunk);
    if (end !== '') room = socket.write(end, 'latin1');
    socket.uncork();
    return room;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends it in order: its user is through. */
  end(): void {
    this.#user = undefined;
    this.#socket.destroySoon();
  }

  /** Cuts it off; its user is told nothing. */
  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  /** Cuts it off, and tells whoever uses it. */
  close(): void {
    this.#socket.destroy();
  }
}
