import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Configuration, HostPort } from '../config/model.ts';
import { prometheusText } from './prometheus.ts';
import type { StatsStore } from './stats-store.ts';

export interface AdminSurroundings {
  readonly configuration: Configuration;
  /** As it was read. */
  readonly bootstrap: unknown;
  readonly stats: StatsStore;
  readonly version: string;
  readonly isReady: () => boolean;
  readonly listeners: () => ReadonlyMap<string, HostPort>;
}

export interface RunningAdmin {
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly text: string;
}

const json = 'application/json';

/** Path → what is there, as far as the same path of Envoy's admin interface is used. */
const pages: Readonly<Record<string, (surroundings: AdminSurroundings) => Answer>> = {
  '/ready': ({ isReady }) => (isReady() ? { text: 'LIVE\n' } : { status: 503, text: 'PRE_INITIALIZING\n' }),
  '/server_info': ({ version, isReady }) => ({
    type: json,
    text: JSON.stringify({
      version: `embedded/${version}/Clean/RELEASE/none`,
      state: isReady() ? 'LIVE' : 'INITIALIZING',
    }),
  }),
  '/listeners': ({ listeners }) => ({
    type: json,
    text: JSON.stringify({
      listener_statuses: Array.from(listeners(), ([name, { host, port }]) => ({
        name,
        local_address: { socket_address: { address: host, port_value: port } },
      })),
    }),
  }),
  '/clusters': ({ configuration }) => ({
    text: configuration.clusters
      .flatMap(({ name, endpoints }) =>
        endpoints.map(({ host, port }) => `${name}::${host}:${port}::health_flags::healthy\n`),
      )
      .join(''),
  }),
  '/stats': ({ stats }) => ({ text: stats.text() }),
  '/stats/prometheus': ({ stats, configuration }) => ({ text: prometheusText(stats, configuration.statsTags) }),
  '/config_dump': ({ bootstrap }) => ({ type: json, text: JSON.stringify({ configs: [{ bootstrap }] }, undefined, 1) }),
};

/** Names of this machine in a `Host` header; ports aside. */
const loopbackHost = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i;
const loopbackAddress = /^(?:127\.|::1$|::ffff:127\.)/;

/**
 * The part of Envoy's admin interface that operators and tests of a gateway read. It changes nothing: a web page could
 * send a POST here from its visitor's browser. On loopback it answers loopback names alone, so that no page can read it
 * under a name of its own that resolves to this machine (DNS rebinding).
 */
export async function startAdmin(address: HostPort, surroundings: AdminSurroundings): Promise<RunningAdmin> {
  const server = createServer((request, response) => {
    answer(request, response, surroundings);
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  const { address: host, port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, surroundings: AdminSurroundings): void {
  const { status = 200, type = 'text/plain; charset=UTF-8', text } = answerTo(request, surroundings);
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache, max-age=0' }).end(text);
}

function answerTo({ method, url = '/', headers, socket }: IncomingMessage, surroundings: AdminSurroundings): Answer {
  if (loopbackAddress.test(socket.localAddress ?? '') && !loopbackHost.test(headers.host ?? '')) {
    return { status: 403, text: 'Host has to be a name of this machine, such as 127.0.0.1\n' };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, text: 'The embedded engine only shows things here: GET is possible, nothing else\n' };
  }
  const path = url.split('?')[0] ?? '/';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page?.(surroundings) ?? { status: 404, text: `The embedded engine has ${Object.keys(pages).join(', ')}\n` };
}
