// What a connection manager does to the headers of a request before any filter sees them. (envoy: conn_manager_utility.cc)
import { randomUUID } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import type { ConnectionManager } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';
import { removeHopByHop } from '../http1-headers.ts';
import type { Address, StreamInfo } from '../stream-info.ts';
import { asksForUpgrade, removeNominated, tokens } from './connection-header.ts';
import { normalizePath } from './path.ts';
import { type Refusal, malformed } from './refusal.ts';
import { resolveTarget } from './target.ts';

/** Headers with which an internal client may steer the router; of anybody else's they are removed. */
const internalHeaders = new Set([
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
]);
const edgeHeaders = new Set([
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
]);

/** `:method`, `:path` and, over HTTP/2, the others are headers to whoever counts them there. */
const addedByHttp1 = 2;

/** The characters of a host, its port, and who asks. (RFC 3986 §3.2, without what nghttp2 leaves out) */
const authorityCharacters = /^[\w!$%&'()*+,.:;=@[\]~-]*$/;

/** What Envoy's codecs refuse, before there is a request. (envoy: http1/codec_impl.cc) */
function refusedByCodec(headers: HeaderMap, manager: ConnectionManager, protocol: Protocol): Refusal | undefined {
  if (protocol === 'HTTP/2') return undefined; // its codec counts by itself
  if (headers.size - addedByHttp1 > manager.maxRequestHeaders) {
    return { status: 431, body: 'Request Header Fields Too Large', details: 'http1.too_many_headers', closes: true };
  }
  const coding = headers.get('transfer-encoding')?.toLowerCase();
  if (coding === '') return malformed('http1.codec_error');
  if (coding !== undefined && coding !== 'chunked') return notImplemented;
  if (headers.get(':method') === 'M-SEARCH') return malformed('http1.codec_error'); // its parser does not know it
  const refused = resolveTarget(headers);
  if (refused !== undefined) return refused;
  if (!authorityCharacters.test(headers.get(':authority') ?? '')) return malformed('http1.invalid_authority');
  return removeNominated(headers) ? undefined : malformed('http1.connection_header_rejected');
}

const notImplemented: Refusal = {
  status: 501,
  body: 'Not Implemented',
  details: 'http1.invalid_transfer_encoding',
  closes: true,
};

type Protocol = StreamInfo['protocol'];

/**
 * Prepares the headers of a request.
 * @returns whom the request is from, or why it is refused
 */
export function prepareRequest(
  headers: HeaderMap,
  manager: ConnectionManager,
  peer: { readonly remote: Address; readonly scheme: string; readonly protocol: Protocol },
): Address | Refusal {
  const refused = refusedByCodec(headers, manager, peer.protocol);
  if (refused !== undefined) return refused;
  if (peer.protocol === 'HTTP/1.0') {
    const { acceptHttp10, defaultHost } = manager;
    if (!acceptHttp10) return { status: 426, body: 'Upgrade Required', details: 'low_version', closes: true };
    if (!headers.has(':authority') && defaultHost !== '') headers.set(':authority', defaultHost);
  }
  if (!headers.has(':authority')) return { status: 400, body: '', details: 'missing_host_header' };
  if (!dropUnderscores(headers, manager.headersWithUnderscores)) {
    return { status: 400, body: '', details: 'http1.unexpected_underscore' };
  }
  const upgrades = asksForUpgrade(headers);
  removeHopByHop(headers);
  for (const name of manager.earlyRemovals) headers.remove(name);
  const path = normalizePath(headers.get(':path') ?? '', manager);
  if (path === undefined) return { status: 400, body: '', details: 'path_normalization_failed' };
  headers.set(':path', path);
  if (upgrades) return { status: 403, body: '', details: 'upgrade_failed', closes: true };
  headers.remove('expect'); // answered here: 100 Continue
  if (tokens(headers.get('te')).includes('trailers')) headers.set('te', 'trailers');
  else headers.remove('te');

  const remote = clientOf(headers, manager, peer.remote);
  const internal = isInternal(headers, manager, remote);
  const edge = manager.useRemoteAddress && !internal;
  if (edge) headers.removeAll(edgeHeaders);
  if (!internal) headers.removeAll(internalHeaders);
  if (internal) headers.set('x-envoy-internal', 'true');
  else headers.remove('x-envoy-internal');
  if (edge) headers.set('x-envoy-external-address', remote.address);
  if (manager.useRemoteAddress || !headers.has('x-forwarded-proto')) headers.set('x-forwarded-proto', peer.scheme);
  headers.set(':scheme', peer.scheme);
  if (edge || !headers.has('x-request-id')) headers.set('x-request-id', randomUUID());
  return remote;
}

/** `mcp_session_id` is `mcp-session-id` to a CGI upstream. */
function dropUnderscores(headers: HeaderMap, action: ConnectionManager['headersWithUnderscores']): boolean {
  if (action === 'ALLOW') return true;
  const names = new Set<string>();
  headers.forEach((name) => {
    if (name.includes('_')) names.add(name);
  });
  if (action === 'REJECT_REQUEST') return names.size === 0;
  headers.removeAll(names);
  return true;
}

/** Where the request comes from: the other end of its connection, or what is said of it where that is trusted. */
function clientOf(headers: HeaderMap, { useRemoteAddress }: ConnectionManager, remote: Address): Address {
  const forwarded = headers.get('x-forwarded-for');
  if (useRemoteAddress) {
    headers.set('x-forwarded-for', forwarded === undefined ? remote.address : `${forwarded},${remote.address}`);
    return remote;
  }
  const last = forwarded?.split(',').at(-1)?.trim() ?? '';
  return last === '' ? remote : { address: last, port: 0 };
}

function isInternal(headers: HeaderMap, manager: ConnectionManager, client: Address): boolean {
  if (!manager.useRemoteAddress) {
    const forwarded = headers.get('x-forwarded-for');
    if (forwarded === undefined || forwarded.includes(',')) return false;
  }
  return rangesOf(manager.internalAddresses ?? privateRanges).include(client.address);
}

type Ranges = NonNullable<ConnectionManager['internalAddresses']>;

/** Says whether an address is in one of several ranges; of the one that it was asked last it knows. */
class AddressRanges {
  readonly #blocks = new BlockList();
  #asked = '';
  #included = false;

  constructor(ranges: Ranges) {
    for (const { address, prefix } of ranges) this.#blocks.addSubnet(address, prefix, familyOf(address));
  }

  include(address: string): boolean {
    if (address === this.#asked) return this.#included;
    this.#included = this.#blocks.check(address, familyOf(address));
    this.#asked = address;
    return this.#included;
  }
}

/** Made once for each list: that takes longer than to look an address up in it. */
const made = new WeakMap<Ranges, AddressRanges>();

function rangesOf(ranges: Ranges): AddressRanges {
  const known = made.get(ranges);
  if (known !== undefined) return known;
  const fresh = new AddressRanges(ranges);
  made.set(ranges, fresh);
  return fresh;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/** RFC 1918, RFC 4193, and loopback. */
const privateRanges: Ranges = [
  { address: '10.0.0.0', prefix: 8 },
  { address: '172.16.0.0', prefix: 12 },
  { address: '192.168.0.0', prefix: 16 },
  { address: '127.0.0.0', prefix: 8 },
  { address: 'fd00::', prefix: 8 },
  { address: '::1', prefix: 128 },
];
