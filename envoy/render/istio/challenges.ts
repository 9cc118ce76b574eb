import { endpointOf } from '../bootstrap.ts';
import { typeUrl } from '../type-urls.ts';

type Plugin = Readonly<Record<string, unknown>>;

/**
 * What jwt_authn calls its own refusals, in front of the cause. The module's refusals have whole challenges already, and are
 * left alone.
 */
const ofTokens = 'response.code_details.startsWith("jwt_authn_access_denied")';

/** `jwt_authn_access_denied{Jwt_is_expired}`: words of a fixed table of jwt_authn, without quotation marks. */
const cause = '%RESPONSE_CODE_DETAILS%';

/**
 * The `local_reply_config` of a connection manager whose jwt_authn refuses bad tokens itself, as Istio's does: each refusal at
 * the endpoint becomes a 401 with the challenge that the module would have written (RFC 6750 §3, RFC 9728 §5.1). jwt_authn
 * says 403 for another audience, and names no metadata. Its text, which tells the cause, stays, and the challenge tells it too.
 * A web page of an allowed origin can read both, as it can read answers of the module (filter/flow/cors.ts).
 * @param plugin has `auth`
 */
export function challengeReplies(plugin: Plugin): object {
  const endpoint = endpointOf(plugin);
  const places = [
    ...virtualServersIn(plugin).map((name) => {
      const path = `${endpoint}/${name}`;
      return { expression: `${escaped(path)}(\\?.*)?`, path };
    }),
    { expression: `${escaped(endpoint)}([/?].*)?`, path: endpoint },
  ];
  // Of all that fit the first is taken.
  return {
    mappers: places.flatMap(({ expression, path }) => mappersOf(expression, challengeFor(path, plugin), plugin)),
  };
}

/** @param expression of whole paths, with their query */
function mappersOf(expression: string, challenge: string, plugin: Plugin): object[] {
  const ofPath = headerFilter(':path', expression);
  const headers = { 'www-authenticate': challenge };
  const origins = originsIn(plugin);
  if (origins.length === 0) return [mapper([ofPath], headers)];
  const ofPage = headerFilter('origin', origins.map(escaped).join('|'));
  return [
    mapper([ofPath, ofPage], {
      ...headers,
      // It is one of those, whole: two headers are joined by a comma, and are none.
      'access-control-allow-origin': '%REQ(ORIGIN)%',
      'access-control-expose-headers': 'www-authenticate',
      vary: 'origin',
    }),
    mapper([ofPath], { ...headers, vary: 'origin' }),
  ];
}

/** @param headers in the place of those that the reply has */
function mapper(filters: readonly object[], headers: Readonly<Record<string, string>>): object {
  const ofTokenFilter = {
    extension_filter: {
      name: 'envoy.access_loggers.extension_filters.cel',
      typed_config: { '@type': typeUrl.expressionFilter, expression: ofTokens },
    },
  };
  return {
    filter: { and_filter: { filters: [...filters, ofTokenFilter] } },
    status_code: 401,
    headers_to_add: Object.entries(headers).map(([key, value]) => ({
      header: { key, value },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    })),
  };
}

function headerFilter(name: string, expression: string): object {
  return { header_filter: { header: { name, string_match: { safe_regex: { regex: expression } } } } };
}

function originsIn({ origins }: Plugin): string[] {
  return Array.isArray(origins) ? origins.filter((origin) => typeof origin === 'string') : [];
}

function challengeFor(path: string, plugin: Plugin): string {
  const { scopes } = (plugin['auth'] ?? {}) as { scopes?: unknown };
  const named = Array.isArray(scopes) && scopes.length > 0 ? [`scope="${literal(scopes.join(' '))}"`] : [];
  const metadata = `${originOf(plugin)}/.well-known/oauth-protected-resource${literal(path)}`;
  const parts = ['error="invalid_token"', `error_description="${cause}"`, ...named, `resource_metadata="${metadata}"`];
  return `Bearer ${parts.join(', ')}`;
}

/** As configured, else as the request says; Envoy lets no character into an authority that could end a quoted string. */
function originOf({ publicUrl }: Plugin): string {
  return typeof publicUrl === 'string' ? literal(publicUrl) : '%REQ(:SCHEME)%://%REQ(:AUTHORITY)%';
}

function virtualServersIn({ virtualServers }: Plugin): string[] {
  const all: unknown[] = Array.isArray(virtualServers) ? virtualServers : [];
  return all.flatMap((each) => {
    const { name } = each as { name?: unknown };
    return typeof name === 'string' ? [name] : [];
  });
}

/** In a value of a header, `%` begins a command of Envoy. */
function literal(text: string): string {
  return text.replaceAll('%', '%%');
}

/** In an expression of RE2. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
