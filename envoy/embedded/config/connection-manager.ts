import type { FilterFactory } from '../filter.ts';
import { readJwtAuthn } from '../filters/jwt-authn.ts';
import { readLocalRateLimit } from '../filters/local-rate-limit.ts';
import { readRbac } from '../filters/rbac.ts';
import type { Message } from './message.ts';
import type { AccessLog, ConnectionManager, HttpFilter } from './model.ts';
import { readRoutes } from './routes.ts';
import { readWasm } from './wasm.ts';
import { readWindows } from './windows.ts';

const minute = 60_000;
/** envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager */
export function readConnectionManager(message: Message, environment: NodeJS.ProcessEnv): ConnectionManager {
  message.ignore('generate_request_id');
  return {
    statPrefix: message.text('stat_prefix'),
    codec: message.choice('codec_type', ['AUTO', 'HTTP1', 'HTTP2'], 'AUTO'),
    useRemoteAddress: message.flag('use_remote_address'),
    internalAddresses: message.optional('internal_address_config', (config) => readRanges(config)),
    normalizePath: message.flag('normalize_path'),
    mergeSlashes: message.flag('merge_slashes'),
    escapedSlashes: message.choice(
      'path_with_escaped_slashes_action',
      ['KEEP_UNCHANGED', 'REJECT_REQUEST', 'UNESCAPE_AND_REDIRECT', 'UNESCAPE_AND_FORWARD'],
      'KEEP_UNCHANGED',
    ),
    earlyRemovals: message.messages('early_header_mutation_extensions', readEarlyMutation).flat(),
    maxRequestHeadersKb: message.count('max_request_headers_kb', 60),
    streamErrorOnInvalidHttp: message.flag('stream_error_on_invalid_http_message'),
    ...message.message('common_http_protocol_options', (common) => ({
      idleTimeout: common.duration('idle_timeout', 60 * minute),
      maxStreamDuration: common.duration('max_stream_duration'),
      maxRequestHeaders: common.count('max_headers_count', 100),
      headersWithUnderscores: common.choice(
        'headers_with_underscores_action',
        ['ALLOW', 'REJECT_REQUEST', 'DROP_HEADER'],
        'ALLOW',
      ),
    })),
    ...message.message('http_protocol_options', (http1) => ({
      enableTrailersHttp1: http1.flag('enable_trailers'),
      acceptHttp10: http1.flag('accept_http_10'),
      defaultHost: http1.text('default_host_for_http_10'),
    })),
    http2: message.message('http2_protocol_options', (http2) => ({
      maxConcurrentStreams: http2.count('max_concurrent_streams', 1024),
      ...readWindows(http2),
    })),
    requestHeadersTimeout: message.duration('request_headers_timeout'),
    requestTimeout: message.duration('request_timeout'),
    streamIdleTimeout: message.duration('stream_idle_timeout', 5 * minute),
    accessLogs: message.messages('access_log', readAccessLog),
    filters: message.messages('http_filters', (filter) => readFilter(filter, environment)),
    routes: message.message('route_config', readRoutes),
  };
}

function readRanges(config: Message): NonNullable<ConnectionManager['internalAddresses']> {
  return config.messages('cidr_ranges', (range) => ({
    address: range.text('address_prefix'),
    prefix: range.count('prefix_len'),
  }));
}

function readEarlyMutation(extension: Message): string[] {
  extension.ignore('name');
  const mutation = 'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation';
  const read = (message: Message): string[] => message.messages('mutations', (each) => each.header('remove'));
  return extension.any('typed_config', { [mutation]: read }) ?? [];
}

function readAccessLog(log: Message): AccessLog {
  log.ignore('name');
  const read = (message: Message): AccessLog => ({
    file: message.has('path') ? message.text('path') : undefined,
    format: message.message('log_format', (format) => {
      if (!format.has('json_format')) {
        return format.message('text_format_source', (source) => source.text('inline_string'));
      }
      return format.raw('json_format') as Record<string, unknown>;
    }),
  });
  const loggers = 'envoy.extensions.access_loggers';
  return (
    log.any('typed_config', {
      [`${loggers}.stream.v3.StdoutAccessLog`]: read,
      [`${loggers}.file.v3.FileAccessLog`]: read,
    }) ?? { file: undefined, format: '' }
  );
}

/** Filters of Envoy's own that are here as well, by their messages. */
const native: Readonly<Record<string, (message: Message) => FilterFactory>> = {
  'jwt_authn.v3.JwtAuthentication': readJwtAuthn,
  'local_ratelimit.v3.LocalRateLimit': readLocalRateLimit,
  'rbac.v3.RBAC': readRbac,
};

function readFilter(message: Message, environment: NodeJS.ProcessEnv): HttpFilter {
  const name = message.text('name');
  const filters = 'envoy.extensions.filters.http';
  if (message.has('config_discovery')) {
    return { kind: 'discovered', name, path: message.message('config_discovery', readDiscovery) };
  }
  const readers: Record<string, (filter: Message) => HttpFilter> = {
    [`${filters}.wasm.v3.Wasm`]: (filter) => ({ kind: 'wasm', name, plugin: readWasm(filter, environment) }),
    [`${filters}.router.v3.Router`]: () => ({ kind: 'router', name }),
  };
  for (const [type, read] of Object.entries(native)) {
    readers[`${filters}.${type}`] = (filter) => ({ kind: 'native', name, create: read(filter) });
  }
  return message.any('typed_config', readers) ?? { kind: 'router', name };
}

function readDiscovery(discovery: Message): string {
  discovery.ignore('type_urls');
  return discovery.message('config_source', (source) => {
    source.ignore('resource_api_version');
    return source.message('path_config_source', (path) => path.text('path'));
  });
}
