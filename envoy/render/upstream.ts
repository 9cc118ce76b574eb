import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { typeUrl } from './type-urls.ts';

export interface HostPort {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What Envoy and the module have to know of an upstream. */
export interface Upstream {
  readonly address: HostPort;
  readonly tls: boolean;
  /** `:authority` for the upstream: host, and the port where it is not the scheme's own. */
  readonly authority: string;
  /** Path and query of the endpoint. */
  readonly path: string;
  /** Where it is reached in place of `address`: instances of one service, none where none is there now. */
  readonly endpoints?: readonly Endpoint[];
  /** The service whose instances they are. */
  readonly service?: string;
}

/** One instance of a service. */
export interface Endpoint {
  /** An address or a name; IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** Its share of the requests beside the others', 1 unless said otherwise. */
  readonly weight?: number;
}

/**
 * Reads the URL of an MCP server.
 * @throws Error that says what is wrong with it, for a sentence that begins with where it stood
 */
export function parseUpstream(text: string): Upstream {
  if (!URL.canParse(text))
    throw new Error(`${JSON.stringify(text)} is not a URL; it has to be like http://127.0.0.1:3001/mcp`);
  // A URL is read without them: what is written and what is asked for would be two.
  if (hasControls(text)) throw new Error(`${JSON.stringify(text)} has a line end, a tab or another control character`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`${JSON.stringify(text)} has to begin with http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(
      'a URL may not carry a password: the configuration is not a secret, credentials come from the environment',
    );
  }
  if (url.hash !== '') throw new Error(`${JSON.stringify(text)} has a fragment, which no server would see`);
  if (url.port === '0') throw new Error(`${JSON.stringify(text)} has port 0, which nothing listens at`);
  const tls = url.protocol === 'https:';
  const defaultPort = tls ? 443 : 80;
  return {
    address: { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? defaultPort : Number(url.port) },
    tls,
    authority: url.host,
    path: url.pathname + url.search,
  };
}

function hasControls(text: string): boolean {
  return Array.from(text).some((character) => character < ' ' || character === '\x7f');
}

/**
 * Reads `HOST:PORT`; IPv6 in brackets. Port 0 is any free one.
 * @throws Error that says what is wrong with it
 */
export function parseHostPort(text: string): HostPort {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new Error(`${JSON.stringify(text)} is not HOST:PORT, like 127.0.0.1:10000 or [::1]:10000`);
  }
  return { host, port };
}

/** `127.0.0.1:10000`, `[::1]:10000` */
export function formatHostPort({ host, port }: HostPort): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export interface SocketAddress {
  socket_address: { address: string; port_value: number };
}

/** An address in the form of Envoy (`config.core.v3.Address`). */
export function socketAddress({ host, port }: HostPort): SocketAddress {
  return { socket_address: { address: host, port_value: port } };
}

type LbEndpoints = [LbEndpoint, ...LbEndpoint[]];

interface LbEndpoint {
  endpoint: { address: SocketAddress };
  load_balancing_weight?: number;
}

export interface Cluster {
  name: string;
  type: string;
  dns_lookup_family?: string;
  load_assignment: {
    cluster_name: string;
    /** A service without instances has none. */
    endpoints: [{ lb_endpoints: LbEndpoints }];
  };
  /** Chooses the endpoint that a session lives at. */
  load_balancing_policy?: object;
  typed_extension_protocol_options?: Record<string, { http_filters?: object; [member: string]: unknown }>;
  transport_socket?: object;
}

/** How Envoy gets at the authorities that it trusts: members of a `CommonTlsContext` that ask for the name `match`. */
export type Trust = (match: object) => object;

/**
 * The Envoy cluster of one upstream, made after `template`, which keeps its timeouts and limits.
 * @param trust by default this machine's own authorities, for an Envoy that runs on it
 * @throws Error where TLS is asked for and this machine's certificate authorities are not to be found
 */
export function clusterFor(name: string, upstream: Upstream, template: Cluster, trust = thisMachine): Cluster {
  const { address, tls, endpoints = [{ address: address.host, port: address.port }] } = upstream;
  const cluster = structuredClone(template);
  cluster.name = name;
  cluster.load_assignment = {
    cluster_name: name,
    endpoints: [{ lb_endpoints: endpoints.map(lbEndpoint) as LbEndpoints }],
  };
  cluster.type = 'STATIC';
  const names = endpoints.filter((endpoint) => isIP(endpoint.address) === 0);
  if (names.length > 0 && names.every((endpoint) => endpoint.address === 'localhost')) {
    cluster.type = endpoints.length === 1 ? 'LOGICAL_DNS' : 'STRICT_DNS';
    cluster.dns_lookup_family = 'ALL'; // happy eyeballs: it is ::1 and 127.0.0.1, and a server is often on one only
  } else if (names.length > 0) {
    // STRICT: each address is an endpoint, such as an instance of a headless service, that a session can be kept at.
    cluster.type = 'STRICT_DNS';
    cluster.dns_lookup_family = 'V4_PREFERRED'; // of two families, each instance would be two endpoints
  }
  if (tls) cluster.transport_socket = tlsSocket(address.host, trust);
  if (upstream.endpoints === undefined && cluster.type !== 'STRICT_DNS') leaveUnnamed(cluster);
  return cluster;
}

/**
 * A URL with an address has one endpoint, now and later: to name it in each message, and to be told it in each answer,
 * would cost every call for nothing. Those of a service come and go, and a session that began at one stays there.
 */
export function leaveUnnamed(cluster: Cluster): void {
  delete cluster.load_balancing_policy;
  for (const options of Object.values(cluster.typed_extension_protocol_options ?? {})) delete options.http_filters;
}

function lbEndpoint({ address, port, weight }: Endpoint): LbEndpoint {
  return {
    endpoint: { address: socketAddress({ host: address, port }) },
    ...(weight !== undefined && { load_balancing_weight: weight }),
  };
}

/** Envoy on its own checks neither the chain nor the name: both are said here. */
function tlsSocket(host: string, trust: Trust): object {
  const name =
    isIP(host) === 0
      ? { san_type: 'DNS', matcher: { exact: host } }
      : { san_type: 'IP_ADDRESS', matcher: { exact: host } };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': typeUrl.upstreamTls,
      ...(isIP(host) === 0 ? { sni: host } : {}), // RFC 6066 §3: no addresses in SNI
      common_tls_context: {
        tls_params: { tls_maximum_protocol_version: 'TLSv1_3' }, // as a client, Envoy stops at 1.2 by itself
        alpn_protocols: ['http/1.1'],
        ...trust({ match_typed_subject_alt_names: [name] }),
      },
    },
  };
}

const thisMachine: Trust = (match) => authoritiesIn(certificateAuthorities())(match);

/** The authorities in a file of the machine that Envoy runs on, PEM. */
export function authoritiesIn(filename: string): Trust {
  return (match) => ({ validation_context: { trusted_ca: { filename }, ...match } });
}

/** Where systems keep the authorities that they trust, as Go's crypto/x509 looks for them. */
const authorityFiles = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Ubuntu, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/ssl/cert.pem', // Alpine, macOS
];

/**
 * The file of the authorities that this machine trusts, or the one that SSL_CERT_FILE names.
 * @throws Error where there is none
 */
export function certificateAuthorities(): string {
  const candidates = [process.env['SSL_CERT_FILE'] ?? '', ...authorityFiles];
  const file = candidates.find((candidate) => candidate !== '' && existsSync(candidate));
  if (file === undefined) {
    throw new Error(
      'https needs the certificate authorities of this machine: install ca-certificates, or set SSL_CERT_FILE',
    );
  }
  return file;
}
