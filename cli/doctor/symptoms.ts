/** What may be wrong with a gateway as its clients and its operator see it; docs/troubleshooting.md has the same rows. */
export interface Symptom {
  readonly area: keyof typeof areas;
  /** What is seen. */
  readonly title: string;
  /** How `sluice doctor` looks for it. */
  readonly probe: string;
  readonly cause: string;
  readonly nextStep: string;
}

/** In the order of the page, and of the way of a request. */
export const areas = {
  connection: 'Before the gateway',
  gateway: 'The module',
  access: 'Authentication',
  virtualServers: 'Virtual servers',
  sessions: 'Sessions and protocol',
  tools: 'Tools and servers',
  proxies: 'Proxies between client and gateway',
  state: 'What the status tells',
  envoy: "What Envoy's admin address tells",
} as const;

/** By id, which is stable: scripts may depend on it. */
export const symptoms = {
  unreachable: {
    area: 'connection',
    title: 'No connection, no such host, or no answer in time.',
    probe: 'connects, and sends `initialize`',
    cause: 'Nothing listens at the address, its name is not known here, or a firewall drops what is sent.',
    nextStep:
      'Compare the URL with the listener of Envoy (`sluice start` prints it), and try it from the machine of Envoy.',
  },
  tls: {
    area: 'connection',
    title: 'The TLS handshake fails.',
    probe: 'connects, and verifies the certificate',
    cause:
      'The certificate is not for this name, has expired, or its authority is not known here; or one side speaks TLS and the other does not.',
    nextStep:
      'Name the authority with `--ca FILE`, correct the certificate, or write http for https (or the other way round) in the URL.',
  },
  redirect: {
    area: 'connection',
    title: 'The answer is a redirect.',
    probe: 'looks at the status of `initialize`',
    cause:
      'A proxy moves the endpoint, mostly from http to https or to a path with a slash; most clients of MCP do not follow with a POST.',
    nextStep: 'Give clients the URL that `location` names.',
  },
  'no-module': {
    area: 'gateway',
    title: 'The answer has no `x-mcp-gateway` header.',
    probe: 'looks for `x-mcp-gateway` in the answer to `initialize`',
    cause:
      'Something else answered: another listener or host, a path that is not `endpoint`, a proxy, or an Envoy without the filter.',
    nextStep:
      'Compare host, port and path with the listener and `endpoint`; `sluice check` says whether the filter is in its chain.',
  },
  'module-failed': {
    area: 'gateway',
    title: '503 without a body, from Envoy itself.',
    probe: "looks at the answer to `initialize`, and at `wasm` in Envoy's counters",
    cause:
      'The module could not be fetched, has another digest, or refused its configuration, so that Envoy refuses every request.',
    nextStep:
      'Look for `wasm` in the log of Envoy; compare `sha256` with what the plugin server tells, and run `sluice check`.',
  },
  'default-deny': {
    area: 'gateway',
    title: '500 `host_mode` without an `x-mcp-gateway` header.',
    probe: 'looks at the answer to `initialize`',
    cause:
      'The request reached the default-deny route: no module has seen it, because the filter is missing in this chain, or switched off.',
    nextStep: 'Put the filter back before the router; docs/host-modes.md has each case.',
  },
  'host-mode': {
    area: 'gateway',
    title: '500 `host_mode` from the module.',
    probe: 'looks at the answer to `initialize`',
    cause:
      'Envoy does not show the module the body: `allow_on_headers_stop_iteration` is missing, or the second filter of a pair.',
    nextStep: 'Set the flag for `hostMode: hold`, or make a pair; docs/host-modes.md has each case.',
  },
  'wrong-path': {
    area: 'gateway',
    title: '404, 405 or 501 for a POST of MCP.',
    probe: 'looks at the status of `initialize`, and asks for `/-/health` below the path',
    cause:
      'The path is not `endpoint` (by default /mcp), or a proxy in front has cut or changed it, or takes no POST there.',
    nextStep: 'Use the path of `endpoint`; a proxy has to pass it as it is.',
  },
  'media-type': {
    area: 'gateway',
    title: '406 or 415.',
    probe: 'sends `Accept: application/json, text/event-stream` and `Content-Type: application/json`',
    cause:
      'A server that is no gateway refuses the types, or a proxy has changed `accept` or `content-type` on the way.',
    nextStep: 'Let the proxy pass both headers; the gateway itself refuses neither.',
  },
  host: {
    area: 'gateway',
    title: '403 `host_forbidden`.',
    probe: 'looks at the answer to `initialize`',
    cause: 'The `Host` of the request is not in `hosts`, or a proxy has replaced it by its own.',
    nextStep: 'Add the name to `hosts`, or let the proxy keep the `Host` of the client.',
  },
  loop: {
    area: 'gateway',
    title: '508 `loop`.',
    probe: 'looks at the answer to `initialize`, and at what servers failed at',
    cause: 'A server of the gateway is the gateway itself, or leads back to it.',
    nextStep: 'Point the cluster of that server at the server, not at the gateway.',
  },
  origin: {
    area: 'gateway',
    title: '403 `origin_forbidden`, or a web page gets no answer that it may read.',
    probe: 'with `--origin`: sends the preflight of that page',
    cause: 'The origin of the page is not in `origins`.',
    nextStep: 'Add the origin to `origins`, as the browser writes it: scheme, name and port, no path.',
  },
  challenge: {
    area: 'access',
    title: '401 without a challenge that names `resource_metadata`.',
    probe: 'sends `initialize` without a token, and reads `www-authenticate`',
    cause:
      'Another filter answers 401 before the module does, `auth` is not configured, or a proxy takes `www-authenticate` away.',
    nextStep:
      'Configure `auth` and let the token filter pass requests without a token (`allow_missing_or_failed`), so that the module answers; pass `www-authenticate` on.',
  },
  metadata: {
    area: 'access',
    title: 'A client is asked for a token, and finds no way to get one.',
    probe: 'reads `/.well-known/oauth-protected-resource`, and the same followed by the path',
    cause:
      'One of the two documents is missing, needs a token itself, or names another resource than the URL that the client uses.',
    nextStep:
      'Route `/.well-known/oauth-protected-resource` to the listener of the gateway, and set `publicUrl` to the URL that clients use, and `auth.authorizationServers`.',
  },
  token: {
    area: 'access',
    title: '401 `invalid_token` with a token.',
    probe: 'with a token: sends `initialize` with it',
    cause:
      'The token has expired, is of another issuer or audience, was signed with a key that is not known here, or has no subject.',
    nextStep:
      "Compare `iss`, `aud` and `exp` of the token with `auth.issuers`; `jwks_fetch_failed` in Envoy's counters says whether the keys could be read.",
  },
  'token-lost': {
    area: 'access',
    title: '401 with a token, as if there were none.',
    probe: 'with a token: compares the answer with the one without',
    cause: 'A proxy takes `authorization` away, or `identity` names another place than the one the token is in.',
    nextStep: 'Pass `authorization` on; compare `identity` with the filter before the module.',
  },
  'status-token': {
    area: 'state',
    title: 'The status is refused.',
    probe: 'reads `/-/status` below the endpoint',
    cause:
      'The token is not the one of `status`, or none was sent and the request is not from the machine of the gateway.',
    nextStep: 'Put the token into SLUICE_STATUS_TOKEN, or name its file with `--status-token-file`.',
  },
  'virtual-server': {
    area: 'virtualServers',
    title: '`unknown_virtual_server`.',
    probe: 'looks at the answer to `initialize`',
    cause: 'The path behind the endpoint, or `x-mcp-virtualserver`, names no virtual server; or `root` is `closed`.',
    nextStep: 'Use `<endpoint>/<namespace>/<name>` of a virtual server of the configuration.',
  },
  'empty-list': {
    area: 'virtualServers',
    title: '`tools/list` is empty.',
    probe: 'lists the tools in a session',
    cause:
      'The patterns of the virtual server match nothing, rules hide everything from this caller, or no server can be reached.',
    nextStep:
      'Read the status for servers that fail, and the log for patterns that match nothing; `sluice check --as` shows what a caller sees, and why.',
  },
  'session-id-lost': {
    area: 'sessions',
    title: '`initialize` is answered without `mcp-session-id`.',
    probe: 'looks for the header in the answer',
    cause: 'A proxy takes the header away, or the server is no gateway.',
    nextStep: 'Let the proxy pass `mcp-session-id` in both directions.',
  },
  'session-header-lost': {
    area: 'sessions',
    title: '400 `session_required`, although the client sends its session id.',
    probe: 'lists the tools in the session that `initialize` began',
    cause: 'A proxy takes `mcp-session-id` away from requests.',
    nextStep: 'Let the proxy pass `mcp-session-id` in both directions.',
  },
  'session-forgotten': {
    area: 'sessions',
    title: '404 `session_unknown` right after `initialize`.',
    probe: 'sends six pings in the session, on a connection each',
    cause: 'Several gateways are behind the address, and each has session keys of its own.',
    nextStep: 'Give all replicas the same `sessions.keys`, and the same `name`.',
  },
  revision: {
    area: 'sessions',
    title: '`unsupported_version`, or a client of another revision cannot connect.',
    probe: 'sends `initialize` in each revision with sessions, and `server/discover` of 2026-07-28',
    cause: 'Host mode `headers` serves the stateless revision alone; or something between translates the protocol.',
    nextStep: 'Set `hostMode` to `hold` or `pair` for clients with sessions.',
  },
  'version-header': {
    area: 'sessions',
    title: '`mcp-protocol-version` does not come through.',
    probe: 'sends a revision that does not exist, which has to be refused',
    cause: 'A proxy takes the header away, and servers then assume an old revision.',
    nextStep: 'Let the proxy pass `mcp-protocol-version`.',
  },
  delete: {
    area: 'sessions',
    title: 'Sessions cannot be ended.',
    probe: 'ends its session with DELETE',
    cause: 'A proxy allows GET and POST alone; sessions end by their age then.',
    nextStep: 'Allow DELETE at the endpoint.',
  },
  'unknown-tool': {
    area: 'tools',
    title: '`unknown_tool`.',
    probe: 'with `--tool`: looks for it in the list; else calls a tool that cannot exist, which has to be refused',
    cause: 'There is no such name here, this caller may not use it, or its server cannot be reached.',
    nextStep:
      'Take the name from `tools/list`, with the prefix of its server; `sluice check --as` shows who sees what.',
  },
  buffering: {
    area: 'proxies',
    title: 'Progress and other events come only at the end, or a client waits for ever.',
    probe: 'asks for the event stream of the session, and waits 5 s for its headers',
    cause: 'A proxy keeps the response until it ends.',
    nextStep: 'Switch buffering off at the endpoint (nginx: `proxy_buffering off`), and raise its read timeout.',
  },
  'body-limit': {
    area: 'proxies',
    title: '413 from something that is not the gateway.',
    probe: 'announces a body of 1.1 MiB (`expect: 100-continue`)',
    cause: 'A proxy takes smaller bodies than the gateway (nginx: 1 MiB by default).',
    nextStep:
      'Raise its limit (nginx: `client_max_body_size`) above `limits.requestBody`, or above what your tools take.',
  },
  'status-off': {
    area: 'state',
    title: '404 `status_not_configured`.',
    probe: 'reads `/-/status` below the endpoint',
    cause: 'The configuration has no `status`.',
    nextStep: 'Add `status: { env: NAME }`; without it less can be said here.',
  },
  'replicas-differ': {
    area: 'state',
    title: 'Some requests see other tools or rules than others.',
    probe: 'reads the status six times, on a connection each, and compares `configuration`',
    cause:
      'Gateways behind one address have different configurations: a rollout is under way, or one of them refused the last one.',
    nextStep: 'Look at `sluice_config` of each gateway, and at the log of the one that is behind.',
  },
  'limits-met': {
    area: 'state',
    title: 'Requests are refused by a limit.',
    probe: 'reads `limits` of the status',
    cause: 'Requests need more than a limit of the configuration, or a client sends too many.',
    nextStep: 'Raise the limit if such requests are right; docs/configuration.md has all of them.',
  },
  'server-cluster': {
    area: 'tools',
    title: '`upstream_unknown_cluster`.',
    probe: 'reads what servers failed at last in the status',
    cause: 'Envoy has no such cluster, or no route for the server.',
    nextStep:
      'Add the cluster that `servers[].cluster` names, and a route to it; `sluice check` says which is missing.',
  },
  'server-down': {
    area: 'tools',
    title: '`upstream_unreachable`: tools of a server are missing.',
    probe: 'reads what servers failed at last in the status',
    cause:
      'The server does not run, refuses connections, its name cannot be resolved, or its TLS handshake fails; or health checks, outlier detection or circuit breakers of its cluster keep requests away from it.',
    nextStep:
      'Try its address from the machine of Envoy; `transport_socket` of its cluster has to fit it. Look at `health_flags` and `rq_error` of the cluster in `/clusters`, and at `upstream_rq_pending_overflow` in `/stats`.',
  },
  'server-slow': {
    area: 'tools',
    title: '`upstream_timeout`.',
    probe: 'reads what servers failed at last in the status',
    cause: 'The server takes longer than its limit.',
    nextStep: 'Look at the server; or raise `limits.handshakeTimeout`, `limits.listTimeout` or its `callTimeout`.',
  },
  'server-credentials': {
    area: 'tools',
    title: '`upstream_unauthorized`.',
    probe: 'reads what servers failed at last in the status',
    cause:
      'The server refuses the credentials of `servers[].credentials`, or the caller sent none that could be passed on.',
    nextStep: 'Correct the credential in its environment variable; the server may want `Bearer ` in front of it.',
  },
  'server-error': {
    area: 'tools',
    title: '`upstream_status`: a server answers with an HTTP error.',
    probe: 'reads what servers failed at last in the status',
    cause: 'The path or the host name is not one that the server serves, or the server fails.',
    nextStep: 'Compare `path` and `authority` of the server with what it serves, and read its log.',
  },
  'server-protocol': {
    area: 'tools',
    title: '`upstream_protocol`: a server breaks the protocol.',
    probe: 'reads what servers failed at last in the status',
    cause: 'It answers something that is no MCP, in another revision, or more than a limit of lists allows.',
    nextStep: 'Read the detail; set `servers[].protocol`, or raise the limit that it names.',
  },
  admin: {
    area: 'envoy',
    title: 'The admin address does not answer.',
    probe: 'with `--admin`: reads `/server_info`',
    cause: 'It listens on loopback alone as a rule, or the address is another one.',
    nextStep: 'Run `sluice doctor` on the machine of Envoy, or forward the port.',
  },
  'not-ready': {
    area: 'envoy',
    title: 'Envoy is not ready.',
    probe: 'reads `/ready`',
    cause: 'It waits for the module, for a cluster or for its live configuration.',
    nextStep: 'Read its log: what it waits for is in there, and why.',
  },
  'configuration-refused': {
    area: 'envoy',
    title: 'An edit has no effect.',
    probe: 'reads `sluice_config` and the counters of refused updates',
    cause: 'The module or Envoy refused the last configuration, and the one before it stays.',
    nextStep: 'The log of Envoy has the reasons; `sluice check` finds them before.',
  },
  'no-endpoint': {
    area: 'envoy',
    title: 'A cluster of a server has no healthy endpoint.',
    probe: 'reads `/clusters`',
    cause: 'Its name cannot be resolved, or its health checks fail.',
    nextStep: 'Look at the cluster in `/clusters`: addresses, `health_flags`, `cx_connect_fail`.',
  },
  keys: {
    area: 'envoy',
    title: 'Good tokens are refused.',
    probe: 'reads `jwks_fetch_failed`',
    cause: 'Envoy cannot read the keys of an issuer, and takes every token for a bad one meanwhile.',
    nextStep: 'Try `jwks_uri` from the machine of Envoy; use `async_fetch`, which keeps keys while a fetch fails.',
  },
  secrets: {
    area: 'envoy',
    title: 'A secret stands in the configuration.',
    probe: 'looks for credentials in `/config_dump`',
    cause: 'Whoever reads the admin address or the file reads the secret.',
    nextStep: 'Put it into the environment (`env: NAME`, `host_env_keys`), and change it: it has been seen.',
  },
  configuration: {
    area: 'envoy',
    title: 'The configuration breaks a rule of `sluice check`.',
    probe: 'runs the rules of [`sluice check`](check.md) on `/config_dump`: order of filters, flags, routes, timeouts',
    cause: 'The rule says why: each is in docs/check.md.',
    nextStep: 'Each finding has its own.',
  },
} as const satisfies Readonly<Record<string, Symptom>>;

export type SymptomId = keyof typeof symptoms;
