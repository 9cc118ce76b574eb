import { isIP } from 'node:net';
import type { Message } from './message.ts';
import type { Cluster, HeaderMutations, HostPort, UpstreamTls } from './model.ts';
import { readHeaderOption } from './routes.ts';
import { defaultWindows, readWindows } from './windows.ts';

const second = 1000;
const hour = 3600 * second;
/** Measured: 79 KB pass, 100 KB do not. */
const defaultResponseHeadersKb = 80;

/** envoy.config.cluster.v3.Cluster */
export function readCluster(message: Message): Cluster {
  const name = message.text('name');
  message.ignore('dns_lookup_family', 'lb_policy'); // Node asks for both families; without a policy it is round robin
  const extensions = message.map('typed_extension_protocol_options', readProtocolOptions);
  const { [protocolOptions]: options = defaultOptions, ...others } = extensions;
  for (const type of Object.keys(others)) message.problem(type, 'is not supported by the embedded engine');
  const discovery = message.choice('type', ['STATIC', 'STRICT_DNS', 'LOGICAL_DNS'], 'STATIC');
  return {
    name,
    discovery,
    connectTimeout: message.duration('connect_timeout', 5 * second),
    endpoints: message.message('load_assignment', (assignment) => readEndpoints(assignment, discovery)),
    endpointHeader: message.optional('load_balancing_policy', readPolicy),
    circuitBreakers: readBreakers(message),
    tls: message.optional('transport_socket', readTransportSocket),
    ...options,
  };
}

function readEndpoints(assignment: Message, discovery: Cluster['discovery']): HostPort[] {
  const read = discovery === 'STATIC' ? readIpAddress : readAddress;
  assignment.ignore('cluster_name');
  const localities = assignment.messages('endpoints', (locality) =>
    locality.messages('lb_endpoints', (entry) =>
      entry.message('endpoint', (endpoint) => endpoint.message('address', read)),
    ),
  );
  return localities.flat();
}

/** envoy.config.core.v3.Address */
function readAddress(address: Message): HostPort {
  return address.message('socket_address', readSocketAddress);
}

function readSocketAddress(socket: Message): HostPort {
  return { host: socket.text('address'), port: socket.count('port_value') };
}

/** Where no name is looked up: of a listener, and of an endpoint unless its cluster asks DNS. */
export function readIpAddress(address: Message): HostPort {
  return address.message('socket_address', (socket) => {
    const found = readSocketAddress(socket);
    if (isIP(found.host) === 0)
      socket.problem('address', `malformed IP address: ${found.host} (Envoy takes no name here)`);
    return found;
  });
}

/** @returns the header that names an endpoint */
function readPolicy(policy: Message): string | undefined {
  const policies = 'envoy.extensions.load_balancing_policies';
  const read = {
    [`${policies}.round_robin.v3.RoundRobin`]: () => undefined,
    [`${policies}.override_host.v3.OverrideHost`]: (override: Message) => {
      override.message('fallback_policy', readPolicy);
      const [source] = override.messages('override_host_sources', (each) => each.header('header'));
      return source;
    },
  };
  const [header] = policy.messages('policies', (each) =>
    each.message('typed_extension_config', (extension) => {
      extension.ignore('name');
      return extension.any<string | undefined>('typed_config', read);
    }),
  );
  return header;
}

const noMutations: HeaderMutations = { removed: [], added: [] };

/** A filter of the chain that ends in the codec. */
function readUpstreamFilter(filter: Message): HeaderMutations {
  filter.ignore('name');
  const filters = 'envoy.extensions.filters.http';
  const read = {
    [`${filters}.upstream_codec.v3.UpstreamCodec`]: () => noMutations,
    [`${filters}.header_mutation.v3.HeaderMutation`]: (mutation: Message) =>
      mutation.message('mutations', (mutations) => ({
        removed: mutations.messages('request_mutations', (each) => each.header('remove')),
        added: mutations.messages('response_mutations', (each) =>
          each.message('append', (option) => readHeaderOption(option, '%UPSTREAM_REMOTE_ADDRESS%')),
        ),
      })),
  };
  return filter.any<HeaderMutations>('typed_config', read) ?? noMutations;
}

function readBreakers(message: Message): Cluster['circuitBreakers'] {
  const [threshold] = message.message('circuit_breakers', (breakers) =>
    breakers.messages('thresholds', (entry) => ({
      maxConnections: entry.count('max_connections', 1024),
      maxPendingRequests: entry.count('max_pending_requests', 1024),
      maxRequests: entry.count('max_requests', 1024),
      maxRetries: entry.count('max_retries', 3),
    })),
  );
  return threshold ?? { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 };
}

type ProtocolOptions = Pick<
  Cluster,
  'protocol' | 'trailers' | 'windows' | 'idleTimeout' | 'maxStreamDuration' | 'maxResponseHeadersKb' | 'mutations'
>;

const protocolOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const defaultOptions: ProtocolOptions = {
  protocol: 'HTTP1',
  trailers: false,
  windows: defaultWindows,
  idleTimeout: hour,
  maxStreamDuration: 0,
  maxResponseHeadersKb: defaultResponseHeadersKb,
  mutations: noMutations,
};

function readProtocolOptions(message: Message): ProtocolOptions {
  const { http1, http2 } = message.message('explicit_http_config', (explicit) => ({
    http1: explicit.optional('http_protocol_options', (options) => options.flag('enable_trailers')),
    http2: explicit.optional('http2_protocol_options', readWindows),
  }));
  const filters = message.messages('http_filters', readUpstreamFilter);
  return {
    mutations: {
      removed: filters.flatMap(({ removed }) => removed),
      added: filters.flatMap(({ added }) => added),
    },
    protocol: http2 === undefined ? 'HTTP1' : 'HTTP2',
    trailers: http2 !== undefined || http1 === true,
    windows: http2 ?? defaultWindows,
    ...message.message('common_http_protocol_options', (common) => ({
      idleTimeout: common.duration('idle_timeout', hour),
      maxStreamDuration: common.duration('max_stream_duration'),
      maxResponseHeadersKb: common.count('max_response_headers_kb', defaultResponseHeadersKb),
    })),
  };
}

function readTransportSocket(message: Message): UpstreamTls | undefined {
  message.ignore('name');
  return message.any('typed_config', {
    'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext': (context) => {
      const sni = context.text('sni');
      return {
        sni: sni === '' ? undefined : sni,
        ...context.message('common_tls_context', (common) => {
          const applicationProtocols = common.texts('alpn_protocols');
          return {
            applicationProtocols,
            ...common.message('tls_params', readTlsVersions),
            ...common.message('validation_context', readValidation),
          };
        }),
      };
    },
  });
}

/** Envoy's names for the versions that both engines speak; a client of Envoy's stops at 1.2 unless it is told otherwise. */
function readTlsVersions(params: Message): Pick<UpstreamTls, 'versions'> {
  const names = ['TLS_AUTO', 'TLSv1_2', 'TLSv1_3'] as const;
  const read = (name: string): UpstreamTls['versions']['most'] =>
    params.choice(name, names, 'TLS_AUTO') === 'TLSv1_3' ? 'TLSv1.3' : 'TLSv1.2';
  return { versions: { least: read('tls_minimum_protocol_version'), most: read('tls_maximum_protocol_version') } };
}

function readValidation(message: Message): Pick<UpstreamTls, 'trustedCa' | 'names'> {
  const trustedCa = message.optional('trusted_ca', (source) => source.text('filename'));
  if (trustedCa === undefined && message.has('match_typed_subject_alt_names')) {
    message.problem(
      'match_typed_subject_alt_names',
      'is refused by Envoy without a trusted_ca: anybody can make a name',
    );
  }
  return {
    trustedCa,
    names: message.messages('match_typed_subject_alt_names', (name) => ({
      type: name.choice('san_type', ['DNS', 'IP_ADDRESS', 'URI'], 'DNS'),
      exact: name.message('matcher', (matcher) => matcher.text('exact')),
    })),
  };
}
