import { type RequestOptions, request } from 'node:http';
import type { Bootstrap } from '../render/bootstrap.ts';
import { typeUrl } from '../render/type-urls.ts';
import { type HostPort, parseHostPort, socketAddress } from '../render/upstream.ts';

/** The listener that shows what the admin interface tells, and the cluster that it asks. */
export const adminListener = 'admin';

/** What operators, Prometheus and `sluice start` read. Nothing here changes anything, whatever its query is. */
const readable = ['/ready', '/server_info', '/listeners', '/clusters', '/stats', '/stats/prometheus', '/config_dump'];

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Moves the admin interface to a pipe that its owner alone can open, and puts a listener that only reads where it was.
 *
 * Envoy's admin interface takes orders (`POST /quitquitquit`) from whoever reaches it, and a web page reaches the loopback
 * addresses of its visitor. Envoy's `allow_paths` is against that, but 1.36 has none; a pipe and a listener do for all.
 * On loopback the listener answers loopback names alone, so that no page reads it under a name of its own.
 * @param pipe path of the socket, at most 100 bytes; Envoy makes it, and replaces what is there
 */
export function readOnlyAdmin(bootstrap: Bootstrap, pipe: string): object {
  const { address } = bootstrap.admin;
  const { address: host, port_value: port } = address.socket_address;
  const { listeners, clusters } = bootstrap.static_resources;
  return {
    ...bootstrap,
    admin: { ...bootstrap.admin, address: { pipe: { path: pipe, mode: 0o600 } } },
    static_resources: {
      ...bootstrap.static_resources,
      listeners: [...listeners, listener({ host, port })],
      clusters: [...clusters, cluster(pipe)],
    },
  };
}

function listener(address: HostPort): object {
  const isLoopback = address.host.startsWith('127.') || address.host === '::1' || address.host === 'localhost';
  const readOnly = {
    match: {
      safe_regex: { regex: readable.join('|') },
      headers: [{ name: ':method', string_match: { safe_regex: { regex: 'GET|HEAD' } } }],
    },
    route: { cluster: adminListener, timeout: '60s' },
  };
  return {
    name: adminListener,
    address: socketAddress(address),
    filter_chains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            typed_config: {
              '@type': typeUrl.connectionManager,
              stat_prefix: adminListener,
              use_remote_address: true,
              normalize_path: true,
              merge_slashes: true,
              path_with_escaped_slashes_action: 'REJECT_REQUEST',
              strip_any_host_port: true,
              request_headers_timeout: '10s',
              stream_idle_timeout: '60s',
              http_filters: [
                {
                  name: 'envoy.filters.http.router',
                  typed_config: { '@type': typeUrl.router, suppress_envoy_headers: true },
                },
              ],
              route_config: {
                name: adminListener,
                virtual_hosts: [
                  { name: adminListener, domains: isLoopback ? loopbackNames : ['*'], routes: [readOnly] },
                ],
              },
            },
          },
        ],
      },
    ],
  };
}

function cluster(pipe: string): object {
  const endpoint = { address: { pipe: { path: pipe } } };
  return {
    name: adminListener,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: adminListener, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

/**
 * Asks an admin interface.
 * @param address `127.0.0.1:9901`, or the path of a pipe
 * @param path `/ready`
 * @throws Error where nobody answers within a second
 */
export function askAdmin(address: string, path: string): Promise<{ status: number; text: string }> {
  const where = address.startsWith('/') ? { socketPath: address } : parseHostPort(address);
  const options: RequestOptions = { ...where, path, agent: false, signal: AbortSignal.timeout(1_000) };
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}
