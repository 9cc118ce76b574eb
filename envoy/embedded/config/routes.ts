import type { Message } from './message.ts';
import type { RouteConfiguration } from './model.ts';
import type {
  DirectResponse,
  HeaderMatch,
  HeaderOption,
  RetryPolicy,
  Route,
  RouteAction,
  RouteMatch,
} from './route.ts';

/** Envoy's own: the time until the whole response is here. */
const defaultTimeout = 15_000;

/** envoy.config.route.v3.RouteConfiguration */
export function readRoutes(message: Message): RouteConfiguration {
  return {
    name: message.text('name'),
    validateClusters: message.flag('validate_clusters', true),
    virtualHosts: message.messages('virtual_hosts', (host) => ({
      name: host.text('name'),
      domains: host.texts('domains'),
      routes: host.messages('routes', readRoute),
    })),
  };
}

function readRoute(message: Message): Route {
  const match = message.message('match', readMatch);
  const forward = message.optional('route', readAction);
  const direct = message.optional('direct_response', readDirectResponse);
  const action = forward ?? direct;
  if (action === undefined) message.problem('route', 'expected a route or a direct_response');
  return {
    name: message.text('name'),
    match,
    action: action ?? { kind: 'direct_response', status: 404, body: '' },
    responseHeadersToAdd: message.messages('response_headers_to_add', (option) => readHeaderOption(option)),
  };
}

const pathKinds = ['prefix', 'path', 'path_separated_prefix'] as const;

function readMatch(message: Message): RouteMatch {
  const headers = message.messages('headers', readHeaderMatch);
  for (const kind of pathKinds) {
    if (message.has(kind)) return { path: { kind, value: message.text(kind) }, headers };
  }
  const pattern = message.optional('safe_regex', (regex) => {
    regex.ignore('google_re2');
    return readPattern(regex, 'regex');
  });
  if (pattern === undefined) message.problem('prefix', `expected one of ${pathKinds.join(', ')}, safe_regex`);
  return { path: { kind: 'safe_regex', value: pattern ?? /^/ }, headers };
}

/** RE2 as far as JavaScript reads it the same; matches whole texts. */
function readPattern(message: Message, name: string): RegExp {
  const source = message.text(name);
  try {
    return new RegExp(`^(?:${source})$`, 's');
  } catch {
    message.problem(name, `${JSON.stringify(source)} is not a regular expression that the embedded engine reads`);
    return /^/;
  }
}

const matchKinds = ['exact', 'prefix', 'suffix', 'contains'] as const;

/** envoy.config.route.v3.HeaderMatcher */
export function readHeaderMatch(message: Message): HeaderMatch {
  const name = message.header('name');
  const invert = message.flag('invert_match');
  if (message.has('present_match')) {
    const present = message.flag('present_match', true);
    return { name, kind: 'present', value: '', invert: invert === present };
  }
  return { name, invert, ...message.message('string_match', readStringMatch) };
}

/** envoy.type.matcher.v3.StringMatcher, but for its patterns. */
function readStringMatch(message: Message): { kind: (typeof matchKinds)[number]; value: string } {
  const kind = matchKinds.find((candidate) => message.has(candidate)) ?? 'exact';
  return { kind, value: message.text(kind) };
}

function readAction(message: Message): RouteAction {
  const byHeader = message.has('cluster_header');
  const streams = message.optional('max_stream_duration', (duration) => duration.duration('max_stream_duration'));
  return {
    kind: 'route',
    cluster: byHeader
      ? { kind: 'header', value: message.header('cluster_header') }
      : { kind: 'name', value: message.text('cluster') },
    timeout: message.duration('timeout', defaultTimeout),
    idleTimeout: message.has('idle_timeout') ? message.duration('idle_timeout') : undefined,
    maxStreamDuration: streams ?? 0,
    retry: message.optional('retry_policy', readRetryPolicy),
  };
}

const retryOn = ['connect-failure', 'refused-stream'];

function readRetryPolicy(message: Message): RetryPolicy {
  const on = message
    .text('retry_on')
    .split(',')
    .map((word) => word.trim());
  const unknown = on.filter((word) => word !== '' && !retryOn.includes(word));
  if (unknown.length > 0) {
    message.problem('retry_on', `${unknown.join(', ')}: the embedded engine retries on ${retryOn.join(' and ')} only`);
  }
  return {
    on,
    retries: message.count('num_retries', 1),
    perTryTimeout: message.duration('per_try_timeout'),
    perTryIdleTimeout: message.duration('per_try_idle_timeout'),
  };
}

function readDirectResponse(message: Message): DirectResponse {
  const status = message.count('status');
  return { kind: 'direct_response', status, body: message.message('body', (body) => body.text('inline_string')) };
}

const appendActions = [
  'APPEND_IF_EXISTS_OR_ADD',
  'ADD_IF_ABSENT',
  'OVERWRITE_IF_EXISTS_OR_ADD',
  'OVERWRITE_IF_EXISTS',
] as const;

/** @param operator a command operator that the value may have */
export function readHeaderOption(message: Message, operator = ''): HeaderOption {
  const append = message.choice('append_action', appendActions, 'APPEND_IF_EXISTS_OR_ADD');
  return message.message('header', (header) => {
    const value = header.text('value');
    if (value.replaceAll(operator, '').includes('%'))
      header.problem('value', 'command operators are not supported by the embedded engine');
    return { name: header.header('key'), value, append };
  });
}
