import { endpointOf } from '../bootstrap.ts';
import { typeUrl } from '../type-urls.ts';

type Plugin = Readonly<Record<string, unknown>>;

/**
 * What jwt_authn calls its own refusals, in front of the cause. The module's refusals have whole challenges already, and are
 * left alone.
 */
const ofTokens = 'response.code_details.startsWith("jwt_authn_access_denied")';

/**
 * The `local_reply_config` of a connection manager whose jwt_authn refuses bad tokens itself, as Istio's does: each refusal at
 * the endpoint becomes a 401 with the challenge that the module would have written (RFC 6750 §3, RFC 9728 §5.1). jwt_authn
 * says 403 for another audience, and names no metadata. Its text, which tells the cause, stays.
 * @param plugin has `auth`
 */
export function challengeReplies(plugin: Plugin): object {
  const endpoint = endpointOf(plugin);
  const ofVirtualServers = virtualServersIn(plugin).map((name) => {
    const path = `${endpoint}/${name}`;
    return mapper(`${escaped(path)}(\\?.*)?`, path, plugin);
  });
  return { mappers: [...ofVirtualServers, mapper(`${escaped(endpoint)}([/?].*)?`, endpoint, plugin)] };
}

/** The first that fits is taken. @param expression of whole paths, with their query. @param path of the resource */
function mapper(expression: string, path: string, plugin: Plugin): object {
  return {
    filter: {
      and_filter: {
        filters: [
          { header_filter: { header: { name: ':path', string_match: { safe_regex: { regex: expression } } } } },
          {
            extension_filter: {
              name: 'envoy.access_loggers.extension_filters.cel',
              typed_config: { '@type': typeUrl.expressionFilter, expression: ofTokens },
            },
          },
        ],
      },
    },
    status_code: 401,
    headers_to_add: [
      {
        header: { key: 'www-authenticate', value: challengeFor(path, plugin) },
        append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
      },
    ],
  };
}

function challengeFor(path: string, plugin: Plugin): string {
  const { scopes } = (plugin['auth'] ?? {}) as { scopes?: unknown };
  const named = Array.isArray(scopes) && scopes.length > 0 ? [`scope="${literal(scopes.join(' '))}"`] : [];
  const metadata = `${originOf(plugin)}/.well-known/oauth-protected-resource${literal(path)}`;
  return `Bearer ${['error="invalid_token"', ...named, `resource_metadata="${metadata}"`].join(', ')}`;
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
