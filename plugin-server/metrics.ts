import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Registry } from 'prom-client';

/**
 * What `GET /metrics` shows. Labels come from tables and from the command line, never from a request: a route is its
 * pattern, a result a code of the error table.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = this.counter('sluice_http_requests_total', 'Requests that were answered', ['route', 'status']);
  readonly #bytes = this.counter('sluice_http_response_bytes_total', 'Bytes of answered bodies', ['route']);

  constructor() {
    this.gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
    this.gauge('process_cpu_seconds_total', 'User and system time', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }

  /** A value that is asked for when somebody looks. */
  gauge(name: string, help: string, value: () => number): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        gauge.set(value());
      },
    });
  }

  /** One value for each of a few things that the command line names. */
  labelledGauge(name: string, help: string, label: string, values: () => [string, number][]): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => {
        gauge.reset(); // a thing may be gone
        for (const [thing, value] of values()) gauge.set({ [label]: thing }, value);
      },
    });
  }

  /** Counts the requests of `app` by route and status. */
  watch(app: FastifyInstance): void {
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'none';
      this.#requests.inc({ route, status: String(reply.statusCode) });
      const hasBody = request.method !== 'HEAD' && reply.statusCode !== 304;
      if (hasBody && reply.raw.writableFinished)
        this.#bytes.inc({ route }, Number(reply.getHeader('content-length') ?? 0));
      done();
    });
  }

  /** Something that happens; `labelNames` have values of tables and of the command line. */
  counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
