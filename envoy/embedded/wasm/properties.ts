// What get_property finds, by the first segment of its path. (envoy: context.cc findValue, CEL attributes)
import { type JsonObject, encodeMetadata } from '../config/struct.ts';
import type { HeaderMap } from '../header-map.ts';
import { flagBits } from '../response-flags.ts';
import type { Address, StreamInfo } from '../stream-info.ts';
import { type PropertyValue, descend } from './property-value.ts';

export interface PropertySource {
  readonly plugin: { readonly name: string; readonly rootId: string; readonly vmId: string };
  readonly node: { readonly id: string; readonly cluster: string; readonly version: string };
  /** undefined in a root context. */
  readonly info: StreamInfo | undefined;
  /** `request.*` is gone once the request was sent on, and back for the access log. */
  readonly requestHeaders: HeaderMap | undefined;
}

type Lookup = (info: StreamInfo) => PropertyValue | undefined;
type Members<L> = Readonly<Record<string, L>>;

/** Properties of a stream; the second segment is a member, what follows leads into its value. */
const ofStream: Members<Members<Lookup>> = {
  response: {
    code: (info) => (info.responseCode === undefined ? undefined : BigInt(info.responseCode)),
    code_details: (info) => info.responseCodeDetails,
    flags: (info) => flagBits(info.responseFlags),
    size: (info) => BigInt(info.bytesSent),
    total_size: (info) => BigInt(info.bytesSent + (info.responseHeaders?.byteSize ?? 0)),
    headers: (info) => info.responseHeaders && joined(info.responseHeaders),
    trailers: (info) => info.responseTrailers && joined(info.responseTrailers),
  },
  source: {
    address: (info) => addressText(info.downstreamRemote),
    port: (info) => BigInt(info.downstreamRemote.port),
  },
  destination: {
    address: (info) => addressText(info.downstreamLocal),
    port: (info) => BigInt(info.downstreamLocal.port),
  },
  connection: {
    id: (info) => BigInt(info.connectionId),
    mtls: () => false,
    requested_server_name: () => '',
  },
  upstream: {
    address: (info) => info.upstreamHost && addressText(info.upstreamHost),
    port: (info) => info.upstreamHost && BigInt(info.upstreamHost.port),
  },
  metadata: {
    filter_metadata: (info) => info.dynamicMetadata as Readonly<Record<string, PropertyValue>>,
  },
};

/** `request.*`, which is there as long as the headers are. */
const ofRequest: Members<(headers: HeaderMap, info: StreamInfo) => PropertyValue | undefined> = {
  path: (headers) => headers.get(':path'),
  url_path: (headers) => headers.get(':path')?.split('?')[0],
  host: (headers) => headers.get(':authority'),
  scheme: (headers) => headers.get(':scheme'),
  method: (headers) => headers.get(':method'),
  headers: joined,
  id: (headers) => headers.get('x-request-id'),
  protocol: (_, info) => info.protocol,
  query: (headers) => headers.get(':path')?.split('?')[1] ?? '',
  useragent: (headers) => headers.get('user-agent'),
  referer: (headers) => headers.get('referer'),
  time: (_, info) => BigInt(Math.round(info.startTime * 1e6)),
  duration: (_, info) =>
    info.endTime === undefined ? undefined : BigInt(Math.round((info.endTime - info.startTime) * 1e6)),
  size: (headers, info) => BigInt(headers.get('content-length') ?? info.bytesReceived),
  total_size: (headers, info) => BigInt(info.bytesReceived + headers.byteSize),
};

function addressText({ address: host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** All values of a name, in one text. */
function joined(headers: HeaderMap): Record<string, PropertyValue> {
  const values: Record<string, string> = {};
  for (const [name, value] of headers) {
    values[name] = Object.hasOwn(values, name) ? `${values[name] ?? ''},${value}` : value;
  }
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Buffer.from(value, 'latin1')]));
}

function xds({ node }: PropertySource, info: StreamInfo | undefined): Record<string, PropertyValue | undefined> {
  const [major = 0n, minor = 0n, patch = 0n] = node.version.split('.').map(BigInt);
  return {
    node: {
      id: node.id,
      cluster: node.cluster,
      user_agent_name: 'envoy',
      user_agent_build_version: { version: { major_number: major, minor_number: minor, patch } },
    },
    ...(info && {
      route_name: info.routeName ?? '',
      cluster_name: info.upstreamCluster ?? '',
      virtual_host_name: info.virtualHost ?? '',
      filter_chain_name: '',
      listener_direction: 0n,
      listener_metadata: '',
      route_metadata: '',
      cluster_metadata: '',
      virtual_host_metadata: '',
      ...(info.upstreamHost && { upstream_host_metadata: null }),
    }),
  };
}

/** @returns undefined: NotFound */
export function findProperty(source: PropertySource, path: readonly string[]): PropertyValue | undefined {
  const [first = '', second = '', ...rest] = path;
  const { plugin, info } = source;
  if (first === 'plugin_name') return plugin.name;
  if (first === 'plugin_root_id') return plugin.rootId;
  if (first === 'plugin_vm_id') return plugin.vmId;
  if (first === 'xds') return descend(xds(source, info)[second], rest);
  if (info === undefined) return undefined;
  if (first === 'connection_id') return BigInt(info.connectionId);
  if (first === 'filter_state') return info.filterState.get(path.slice(1).join('\0'));
  if (path.length === 0) return null; // all of it together has no bytes
  const isRequest = first === 'request';
  const members = Object.hasOwn(ofStream, first) ? ofStream[first] : undefined;
  // What set_property has stored under more than one segment is not found again.
  if (!isRequest && members === undefined) {
    return path.length === 1 ? info.filterState.get(`wasm.${first}`) : undefined;
  }
  if (path.length === 1) {
    return first === 'metadata' ? encodeMetadata(info.dynamicMetadata as Readonly<Record<string, JsonObject>>) : null;
  }
  return descend(isRequest ? requestProperty(source, info, second) : own(members, second)?.(info), rest);
}

function requestProperty(
  { requestHeaders }: PropertySource,
  info: StreamInfo,
  name: string,
): PropertyValue | undefined {
  return requestHeaders && own(ofRequest, name)?.(requestHeaders, info);
}

function own<L>(members: Members<L> | undefined, name: string): L | undefined {
  return members !== undefined && Object.hasOwn(members, name) ? members[name] : undefined;
}
