import type { Problem } from './problem.ts';

/** Something that is looked for; docs/check.md has the same rows. */
export interface Rule {
  readonly severity: Problem['severity'];
  /** What is asked of a configuration. */
  readonly asks: string;
  /** What happens otherwise. */
  readonly why: string;
  /** What to do then. */
  readonly mend: string;
}

/**
 * Everything that is looked for in Envoy and Istio configurations, by id. A finding may be of less weight than its rule,
 * where what it depends on cannot be seen from here.
 */
export const rules = {
  yaml: {
    severity: 'error',
    asks: 'The file is YAML or JSON; no member twice, no alias that is undefined or leads into itself; one document, where it is for Envoy.',
    why: 'Envoy takes one of two equal members without a word, and the first of several documents; Kubernetes takes none.',
    mend: 'correct the text at this place',
  },
  scalar: {
    severity: 'error',
    asks: 'In what Envoy or Kubernetes reads, a text without quotes is read as that text, and a number of a plugin configuration as that number.',
    why: 'Both read YAML 1.1, where `no`, `off` and `n` are false, `yes`, `on` and `y` true, and 010 is 8: a server, a prefix or a pattern of that name is another, or refused. In a Struct, Envoy makes texts of fractions and of numbers beyond 32 bits.',
    mend: 'put the text into quotes: `prefix: "no"`',
  },
  kind: {
    severity: 'error',
    asks: 'The file is a plugin configuration, an Envoy bootstrap, a discovery response or Kubernetes resources.',
    why: 'Nothing can be said about anything else.',
    mend: 'give a plugin configuration a member `servers`, a bootstrap `static_resources`, a resource `apiVersion` and `kind`',
  },
  plugin: {
    severity: 'error',
    asks: 'The module itself accepts the plugin configuration.',
    why: 'Envoy would refuse it, or drop the filter.',
    mend: 'docs/configuration.md lists the members and their values',
  },
  filter: {
    severity: 'error',
    asks: 'One of the HTTP filters is Sluice.',
    why: 'Without it nothing is a gateway.',
    mend: 'add the `sluice` filter of envoy/envoy.yaml to `http_filters`, before the router',
  },
  router: {
    severity: 'error',
    asks: 'There is one router among the HTTP filters, it is the last, and Sluice is before it.',
    why: 'What stands behind the router never runs; Envoy does not start with two, or without one.',
    mend: 'put `envoy.filters.http.router` last in `http_filters`, once',
  },
  cluster: {
    severity: 'error',
    asks: 'Every cluster that a server, a route or the fetch of the module names exists.',
    why: 'The server is `upstream_unknown_cluster` for ever; Envoy refuses a static route to a cluster that is not there.',
    mend: 'name a cluster that `static_resources.clusters` has, or add it there',
  },
  instances: {
    severity: 'warning',
    asks: 'The cluster of a server with several endpoints chooses one by `x-sluice-endpoint`, and reports in that header which one has answered.',
    why: 'A session lives in the instance that opened it; the others do not know it, and answer 404.',
    mend: 'copy `load_balancing_policy` and `http_filters` of the clusters in envoy/envoy.yaml; docs/instances.md explains them',
  },
  digest: {
    severity: 'error',
    asks: '`sha256` is there and is the digest of the module that is to be run.',
    why: 'Envoy and Istio refuse other bytes, and the gateway stays closed.',
    mend: 'write the digest that the plugin server tells: `curl <plugin server>/plugins/sluice`',
  },
  'vm-id': {
    severity: 'error',
    asks: 'The `vm_id` of remote code contains its sha256.',
    why: 'Remote modules with equal vm_id and configuration run the code that came first, whatever their sha256 is: an upgrade would run the old module.',
    mend: 'write `vm_id: sluice-<sha256>`',
  },
  'remote-ecds': {
    severity: 'error',
    asks: 'A filter that comes by config discovery (ECDS) carries its code inline or as a file, not as `remote`.',
    why: 'After an update Envoy does not fetch the new code and serves requests without the filter, whatever failure_policy says.',
    mend: 'put the module into `code.local.inline_bytes`, or the filter into the static configuration',
  },
  'module-url': {
    severity: 'error',
    asks: 'The URL that Envoy itself fetches the module from leads to the bytes of one version.',
    why: 'A range or `latest` is answered with a redirect, which Envoy does not follow (Istio does), and an archive or an image is not unpacked: the gateway stays closed.',
    mend: 'write `http://<plugin server>/plugins/sluice/<version>/plugin.wasm`',
  },
  'fetch-retry': {
    severity: 'warning',
    asks: 'Remote code has a `retry_policy` with several tries.',
    why: 'By default Envoy tries twice within seconds; a gateway that starts before the plugin server then answers 503 until it is restarted.',
    mend: 'add `retry_policy: { num_retries: 60, retry_back_off: { base_interval: 0.5s, max_interval: 10s } }`',
  },
  'hold-flag': {
    severity: 'error',
    asks: '`allow_on_headers_stop_iteration: true` where hostMode is `hold`, and not where it is `pair`.',
    why: 'Without it the body, on which the module decides, never comes, and every request is `host_mode`; a pair is for hosts without the flag, and runs untested with it.',
    mend: 'set the flag and hostMode to the same mode; a WasmPlugin has no such flag and needs `hostMode: pair`',
  },
  pair: {
    severity: 'error',
    asks: 'hostMode `pair`: two Sluice filters in one chain with the root ids `sluice` and `sluice-holder`, in this order, with the same module, `vm_config` and hostMode. Otherwise there is one.',
    why: 'The first decides, the second holds the headers, and they find each other only inside one VM: another order, module or environment ends every request in `host_mode`, or serves it without streaming.',
    mend: 'make both filters alike but for their names and root ids, `sluice` first',
  },
  'fail-open': {
    severity: 'error',
    asks: 'Nothing lets requests pass without the filter: no `FAIL_OPEN`, `fail_open`, `is_optional`, `disabled`, per-route switch, or `default_config` that is another filter.',
    why: 'A client would speak to servers without sessions, rules or limits.',
    mend: 'use `failure_policy: FAIL_RELOAD` (Istio: `failStrategy: FAIL_CLOSE`), and leave the switch out',
  },
  'closed-route': {
    severity: 'error',
    asks: 'In every virtual host, what asks for the endpoint, or for any path below it, without a routing header ends at a `direct_response`, behind the routes to servers and before any other.',
    why: 'A request that no module decided on, because the filter or its partner is missing, would reach whatever the next route leads to.',
    mend: 'add the route `host_mode` of envoy/envoy.yaml behind the routes to servers',
  },
  'server-route': {
    severity: 'error',
    asks: 'Every server has a route that matches its name in `x-mcp-servername`, and its path.',
    why: 'Its tools are listed, and every call to one ends at the default-deny route.',
    mend: 'add a route with `headers: [{ name: x-mcp-servername, string_match: { exact: <name> } }]` and `prefix: /`',
  },
  'route-server': {
    severity: 'warning',
    asks: 'Every route that matches `x-mcp-servername` names a server of the plugin configuration.',
    why: 'No request ever takes such a route.',
    mend: 'correct the name, or remove the route',
  },
  'route-cluster': {
    severity: 'warning',
    asks: 'The route of a server leads to the cluster that the plugin configuration names for it.',
    why: 'The module opens sessions with that cluster; calls that go to another one find a server that does not know them.',
    mend: 'name the same cluster in both places',
  },
  'route-header': {
    severity: 'error',
    asks: 'Routes match on no `x-mcp-` header but those that the module removes from every request and sets itself.',
    why: 'Any other comes from the client, who would choose the route.',
    mend: 'match on x-mcp-servername, x-mcp-method, x-mcp-toolname, x-mcp-promptname, x-mcp-resourceuri, x-mcp-eventname or x-mcp-cluster',
  },
  'forged-headers': {
    severity: 'warning',
    asks: '`early_header_mutation_extensions` removes every header that routes trust.',
    why: 'The module removes them as well; where it is missing, a forged one would lead past the default-deny route.',
    mend: 'copy `early_header_mutation_extensions` from envoy/envoy.yaml',
  },
  paths: {
    severity: 'error',
    asks: '`normalize_path` and `merge_slashes` are on, and `path_with_escaped_slashes_action` is `REJECT_REQUEST` or one that unescapes.',
    why: 'Routes and the module would see another path than the server does, and `/x/../mcp` would pass both.',
    mend: 'add `normalize_path: true`, `merge_slashes: true`, `path_with_escaped_slashes_action: REJECT_REQUEST`',
  },
  retries: {
    severity: 'error',
    asks: 'Routes to servers, and their clusters, retry on `connect-failure`, `refused-stream` and `reset-before-request` only, and `hedge_on_per_try_timeout` is off.',
    why: 'Anything else may repeat a tool call that a server has already carried out; the limit of one try is `callTimeout`.',
    mend: 'write `retry_on: connect-failure,refused-stream` (Istio: `retries: { attempts: 2, retryOn: "connect-failure,refused-stream" }`, since its default retries more)',
  },
  mirrors: {
    severity: 'warning',
    asks: 'Routes to servers, and their clusters, have no `request_mirror_policies` (Istio: `mirror`, `mirrors`).',
    why: 'The copy of a tool call is carried out as well, and has the session id and the credentials of the server that it is a copy for.',
    mend: 'mirror to a server that may run every call, and may see those credentials; else take the policy out',
  },
  'internal-redirects': {
    severity: 'error',
    asks: 'Routes to servers have no `internal_redirect_policy`.',
    why: 'Envoy would send the call through the filters again, as it was for its server: that is a `loop`, or a 404 that ends the session of the client.',
    mend: 'take the policy out; a redirect of a server is then `upstream_status`, which says so',
  },
  'local-replies': {
    severity: 'error',
    asks: '`local_reply_config` changes no answer of the module: no `body_format`, and no mapper with a text or status that takes all replies of a status.',
    why: 'Answers of the module, such as that of `initialize`, are local replies of Envoy: clients would get another text, which is no JSON-RPC.',
    mend: "leave `body_format` out; give mappers a filter that the module's answers do not pass, such as `response_flag_filter` or a `header_filter` on other paths",
  },
  'route-timeout': {
    severity: 'warning',
    asks: 'Routes to servers have `timeout: 0s`.',
    why: "Envoy's 15 s, or any other limit of the whole response, cuts event streams off; the module bounds the time until a response begins.",
    mend: 'add `timeout: 0s` and an `idle_timeout` to the route',
  },
  'idle-timeout': {
    severity: 'error',
    asks: 'Neither `stream_idle_timeout` nor the `idle_timeout` of a route to a server is 0.',
    why: 'A request that waits for what never comes, such as one of a module that trapped, would be kept for ever.',
    mend: 'leave `stream_idle_timeout` at 10 minutes, or set any other limit',
  },
  'call-timeout': {
    severity: 'warning',
    asks: 'No `stream_idle_timeout`, and no `idle_timeout` of a route to a server, is lower than the longest `callTimeout`.',
    why: 'A tool that works in silence is cut off by Envoy before the module gives it up, and the client is told of a request that timed out.',
    mend: 'raise `stream_idle_timeout` to `limits.callTimeout` (by default 600s), or lower that',
  },
  'session-keys': {
    severity: 'warning',
    asks: '`sessions.keys` names a key.',
    why: 'Every Envoy process makes its own: a restart ends all sessions, and a second replica does not know them. Only `sluice start` keeps one by itself.',
    mend: 'add `sessions: { keys: [{ id: 1, env: SLUICE_KEY_1 }] }`; `npx sluice keygen session` makes what the variable holds. `sluice start` needs none',
  },
  environment: {
    severity: 'error',
    asks: 'Every variable that the plugin configuration names reaches the module, by `host_env_keys`, and none by its value.',
    why: 'The module refuses a configuration whose secrets are not there; what stands in `key_values`, /config_dump shows to everyone.',
    mend: 'list the name in `environment_variables.host_env_keys` of the `vm_config` (Istio: `vmConfig.env` with `valueFrom: HOST`)',
  },
  passthrough: {
    severity: 'warning',
    asks: 'A header that `credentials: { type: passthrough }` names comes as far as Sluice and the server, and the token of `{ type: exchange }` as far as Sluice.',
    why: 'The listener, a route or jwt_authn takes it away, and the server refuses every call, or there is no token to exchange.',
    mend: 'leave the header in place (jwt_authn: `forward: true`), or name another without an underscore',
  },
  'rest-path': {
    severity: 'warning',
    asks: 'Each argument of a REST tool with `position: path` has its place in the URL, and each place such an argument.',
    why: 'A place that no argument fills is sent as it stands, in braces, and an argument without a place is not sent at all: the service is asked for something else.',
    mend: 'write `{name}` into `requestTemplate.url`, or give the argument another name or position',
  },
  'tool-search': {
    severity: 'warning',
    asks: 'Where `toolSearch` is on, servers have a `listCache`.',
    why: 'A search reads the lists of all servers that the caller may use: those that are not kept are asked for each time.',
    mend: 'give the server `listCache: { ttl: 60s }`',
  },
  'open-root': {
    severity: 'warning',
    asks: 'Where there are virtual servers, `root` is not `open`.',
    why: 'A virtual server narrows its own path; the endpoint itself still serves everything to whoever leaves the name out.',
    mend: 'add `root: closed`, or the name of a virtual server',
  },
  annotations: {
    severity: 'warning',
    asks: 'A rule of authorization with `annotations` is about servers that are `trusted`, or there are `pins`.',
    why: 'What a server says of its tools lets nobody use them unless somebody vouches for it; and it can say something else where a rule denies by it.',
    mend: 'add `trusted: true` to servers whose word counts, name them in `servers` of the rule, or pin their tools with `sluice lock`',
  },
  patterns: {
    severity: 'warning',
    asks: 'Every name in `tools.allow` and `tools.deny` can be the name of a tool.',
    why: 'They are the names that the server uses, without the prefix; what matches nothing allows or denies nothing. What a server does not have, the log of the gateway says at the first complete list.',
    mend: 'write the name as the server has it',
  },
  placeholder: {
    severity: 'warning',
    asks: 'No URL, cluster, authority or path has a `${…}` or `{{…}}` left in it.',
    why: 'Neither Envoy nor Sluice puts anything in its place.',
    mend: 'run the file through what replaces it (envsubst, Helm), or write the value',
  },
  identity: {
    severity: 'error',
    asks: "Where `identity.jwt` names a place for claims, or `auth` implies `jwt`, a `jwt_authn` filter before Sluice has it as a provider's `payload_in_metadata`, and a rule for the endpoint requires that provider.",
    why: 'The module finds no identity, and every request is `unauthenticated`.',
    mend: 'put `envoy.filters.http.jwt_authn` before the `sluice` filter, with `payload_in_metadata: <name>`',
  },
  challenge: {
    severity: 'warning',
    asks: 'Where there is `auth`, the rule of `jwt_authn` for the endpoint has `allow_missing_or_failed` beside its providers, and each of these has `failed_status_in_metadata: refused-0`, `refused-1` …',
    why: 'A 401 of `jwt_authn` itself names no `resource_metadata`, and clients do not learn where to get a token. Without that name the 401 of Sluice cannot say what is wrong with the token.',
    mend: 'write the filter as `sluice render envoy` does (docs/authorization.md)',
  },
  'allowed-capabilities': {
    severity: 'error',
    asks: "Where there is `allowedCapabilities`, a `jwt_authn` filter before Sluice has its `jwt` as a provider's `payload_in_metadata`, that provider takes its token from `x-mcp-authorized` alone and has `forward: true`, and a rule for the endpoint requires it.",
    why: 'The header of a request is never verified, and what is not verified lists nothing: everything is hidden. A token from elsewhere would say what its own holder may use. Without `forward: true` nobody sees that a client has put a token of its own before that of an earlier filter.',
    mend: 'add a second provider with `from_headers: [{ name: x-mcp-authorized }]`, `forward: true` and `payload_in_metadata: <name>`, and require both with `requires_all` (docs/authorization.md)',
  },
  buffers: {
    severity: 'error',
    asks: "`per_connection_buffer_limit_bytes`, the HTTP/2 windows that are set, and `max_request_body_size` of Envoy's own MCP filter are at least twice `limits.heldBody`.",
    why: "Between the two limits a body ends in Envoy's own 413 over HTTP/1.1, and over HTTP/2 it waits for a window that never opens.",
    mend: 'raise them to twice `limits.heldBody` (by default 2097152), or lower that',
  },
  unseen: {
    severity: 'warning',
    asks: 'Listeners and routes stand in the file itself.',
    why: 'What comes by LDS or RDS is not here: closed route, retries and servers without a route are not checked.',
    mend: 'check the file that the management server serves as well',
  },
  envoy: {
    severity: 'error',
    asks: 'With `--envoy`: an Envoy accepts the bootstrap.',
    why: 'It would not start.',
    mend: "Envoy's own words say where",
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof rules;
