import type { Cluster, HostPort } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';
import type { Balancer } from './balancer.ts';
import type { Connector } from './connect.ts';
import type { Pool, ResponseReceiver, UpstreamExchange } from './exchange.ts';
import { Http1Connection } from './http1-connection.ts';
import { type ExchangeOwner, Http1Exchange } from './http1-exchange.ts';

/** Connections to one endpoint that wait for a request, at most. */
const mostIdle = 256;

/** HTTP/1.1 connections that are kept; a request takes one for itself. */
export class Http1Pool implements Pool, ExchangeOwner {
  readonly #cluster: Cluster;
  readonly #connector: Connector;
  readonly #balancer: Balancer;
  #active = 0;
  readonly #waiting: Http1Exchange[] = [];
  readonly #connections = new Set<Http1Connection>();
  /** By endpoint, the one that was used last at the end: it is taken first. */
  readonly #idle = new Map<HostPort, Http1Connection[]>();
  /** What starts behind the next round of the event loop. */
  #starting: Http1Exchange[] | undefined;

  constructor(cluster: Cluster, connector: Connector, balancer: Balancer) {
    this.#cluster = cluster;
    this.#connector = connector;
    this.#balancer = balancer;
  }

  get isFull(): boolean {
    return !this.#hasConnection && this.#waiting.length >= this.#cluster.circuitBreakers.maxPendingRequests;
  }

  get #hasConnection(): boolean {
    return this.#active < Math.max(1, this.#cluster.circuitBreakers.maxConnections);
  }

  exchange(receiver: ResponseReceiver, asked: HeaderMap): UpstreamExchange {
    const exchange = new Http1Exchange(receiver, this.#cluster, this, this.#balancer(asked));
    if (this.isFull) {
      exchange.refuse();
    } else if (this.#hasConnection) {
      this.#active++;
      this.#start(exchange);
    } else {
      this.#waiting.push(exchange);
    }
    return exchange;
  }

  /** A kept connection that its server has just closed looks alive until the event loop has been round. */
  #start(exchange: Http1Exchange): void {
    if ((this.#idle.get(exchange.host)?.length ?? 0) === 0) exchange.start();
    else this.#startLater(exchange);
  }

  #startLater(exchange: Http1Exchange): void {
    if (this.#starting !== undefined) {
      this.#starting.push(exchange);
      return;
    }
    const together = [exchange];
    this.#starting = together;
    setImmediate(() => {
      this.#starting = undefined; // who comes from here on has not seen all of the round
      setImmediate(() => {
        for (const each of together) each.start();
      });
    });
  }

  connectionTo(host: HostPort): Http1Connection {
    const idle = this.#idle.get(host);
    for (let kept = idle?.pop(); kept !== undefined; kept = idle?.pop()) if (kept.isFree) return kept;
    const made = new Http1Connection(this.#connector, host, this.#cluster.idleTimeout, () => {
      this.#connections.delete(made);
      const waiting = this.#idle.get(host);
      const at = waiting?.indexOf(made) ?? -1;
      if (at >= 0) waiting?.splice(at, 1);
    });
    this.#connections.add(made);
    return made;
  }

  giveBack(connection: Http1Connection, most: number): void {
    let idle = this.#idle.get(connection.host);
    if (idle === undefined) this.#idle.set(connection.host, (idle = []));
    if (!connection.isFree || idle.length >= mostIdle) {
      connection.end();
      return;
    }
    connection.rest(most);
    idle.push(connection);
  }

  release(exchange: Http1Exchange): void {
    const at = this.#waiting.indexOf(exchange);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#active--;
    else this.#start(next);
  }

  close(): void {
    for (const connection of [...this.#connections]) connection.close();
  }
}
