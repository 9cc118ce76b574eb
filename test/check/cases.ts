import type { RuleId } from '../../envoy/check/rules.ts';
import type { Base } from './support.ts';

export interface Case {
  readonly rule: RuleId;
  readonly base: Base;
  /** Of the base: what is replaced, and by what. */
  readonly edits: readonly (readonly [was: string | RegExp, now: string])[];
  /** The end of the path. */
  readonly at: string;
  readonly says: string;
  readonly severity?: 'error' | 'warning';
  /** Rules that the same fault breaks as well. */
  readonly also?: readonly RuleId[];
}

const router = /^ {18}- name: envoy\.filters\.http\.router\n.*\n.*\n/m;
const routerText = `                  - name: envoy.filters.http.router
                    typed_config:
                      '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
`;
const defaultDeny = /^ {24}# The default-deny route[^]*?(?=\n {2}clusters:)/m;
const catchAll =
  '- match: { prefix: / }\n                          route: { cluster: notes }\n                        ';

/** Of a server that is sent exchanged tokens. @param cluster of the token endpoint */
const exchange = (cluster: string): string =>
  `credentials: { type: exchange, tokenEndpoint: https://idp.example.com/token, cluster: ${cluster}, clientId: sluice }`;

type Edit = readonly [was: string, now: string];

/** Gives the plugin configuration another member. */
const inPlugin = (member: string): Edit => ['hostMode: hold', `hostMode: hold\n                            ${member}`];

/** Puts a filter that verifies tokens before all others. */
const jwtAuthn = (providers: string, rules: string): Edit => [
  'http_filters:\n',
  `http_filters:
                  - name: jwt
                    typed_config:
                      '@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
                      providers: ${providers}
                      rules: ${rules}
`,
];

/** A configuration with one fault for each thing that a rule looks for. */
export const cases: readonly Case[] = [
  // The chain
  {
    rule: 'filter',
    base: 'hold',
    edits: [[/^ {18}- name: sluice\n[^]*?(?=^ {18}- name: envoy)/m, '']],
    at: 'http_filters',
    says: 'no Sluice filter',
  },
  { rule: 'router', base: 'hold', edits: [[router, '']], at: 'http_filters', says: 'no router at its end' },
  {
    rule: 'router',
    base: 'hold',
    edits: [[router, routerText + routerText]],
    at: 'http_filters[2]',
    says: 'second router',
  },
  {
    rule: 'router',
    base: 'hold',
    edits: [
      [router, ''],
      ['http_filters:\n', `http_filters:\n${routerText}`],
    ],
    at: 'http_filters[0]',
    says: 'has to be the last',
  },
  {
    rule: 'router',
    base: 'hold',
    edits: [
      [router, ''],
      ['http_filters:\n', `http_filters:\n${routerText}`],
    ],
    at: 'http_filters[1]',
    says: 'behind the router',
  },

  // Clusters
  {
    rule: 'instances',
    base: 'hold',
    edits: [
      [/^ {14}- endpoint: .*3002.*\n/m, '$&$&'],
      [/^ {6}load_balancing_policy: \*.*\n/m, ''],
    ],
    at: 'clusters[2]',
    says: 'has 2 endpoints, and does not choose one of them by x-sluice-endpoint',
  },
  {
    rule: 'instances',
    base: 'hold',
    edits: [
      [/^ {14}- endpoint: .*3002.*\n/m, '$&$&'],
      [/^ {6}typed_extension_protocol_options: \*.*\n/m, ''],
    ],
    at: 'clusters[2]',
    says: 'does not report in x-sluice-endpoint which one has answered',
  },
  {
    rule: 'cluster',
    base: 'hold',
    edits: [['cluster: plugin-server', 'cluster: plugin-servr']],
    at: 'http_uri.cluster',
    says: 'plugin-servr: there is no such cluster; did you mean "plugin-server"?',
  },
  {
    rule: 'cluster',
    base: 'hold',
    edits: [[/cluster: notes$/gm, 'cluster: nots']],
    at: 'servers[1].cluster',
    says: 'did you mean "notes"?',
  },
  {
    rule: 'cluster',
    base: 'hold',
    edits: [[/cluster: notes$/gm, 'cluster: nots']],
    at: 'routes[1].route.cluster',
    says: 'nots: there is no such cluster',
  },
  {
    rule: 'cluster',
    base: 'hold',
    edits: [['prefix: notes_', `prefix: notes_\n                                ${exchange('nots')}`]],
    at: 'servers[1].credentials.cluster',
    says: 'nots: there is no such cluster; did you mean "notes"?',
  },
  {
    rule: 'cluster',
    base: 'hold',
    edits: [
      [/cluster: notes$/gm, 'cluster: elsewhere'],
      [
        'static_resources:',
        'dynamic_resources: { cds_config: { path_config_source: { path: cds.json } } }\nstatic_resources:',
      ],
    ],
    at: 'routes[1].route.cluster',
    says: 'elsewhere: is not here, and has to come by CDS',
    severity: 'warning',
  },

  // The module
  {
    rule: 'digest',
    base: 'hold',
    edits: [[/(vm_id: sluice-|sha256: )d1/g, '$1ab']],
    at: 'remote.sha256',
    says: 'is not the digest of build/plugin.wasm',
  },
  {
    rule: 'digest',
    base: 'hold',
    edits: [
      [/(vm_id: sluice-|sha256: )d1/g, '$1ab'],
      ['/sluice/0.1.0/', '/sluice/0.0.9/'],
    ],
    at: 'remote.sha256',
    says: "another module's",
    severity: 'warning',
  },
  {
    rule: 'digest',
    base: 'hold',
    edits: [[/ sha256: \w+/, ' sha256: d1d1']],
    at: 'remote.sha256',
    says: '64 lower-case hexadecimal',
  },
  { rule: 'digest', base: 'hold', edits: [[/^ +sha256: .*\n/m, '']], at: 'remote.sha256', says: 'is missing' },
  {
    rule: 'vm-id',
    base: 'hold',
    edits: [[/vm_id: .*/, 'vm_id: sluice']],
    at: 'vm_config.vm_id',
    says: 'does not contain the sha256',
  },
  { rule: 'vm-id', base: 'hold', edits: [[/^ +vm_id: .*\n/m, '']], at: 'vm_config.vm_id', says: 'is missing' },
  {
    rule: 'fetch-retry',
    base: 'hold',
    edits: [[/^ +retry_policy:\n +num_retries: 60\n.*\n/m, '']],
    at: 'code.remote',
    says: 'is missing',
  },
  {
    rule: 'fetch-retry',
    base: 'hold',
    edits: [['num_retries: 60', 'num_retries: 1']],
    at: 'retry_policy.num_retries',
    says: 'is 1',
  },

  // Host modes
  {
    rule: 'hold-flag',
    base: 'hold',
    edits: [['allow_on_headers_stop_iteration: true', 'allow_on_headers_stop_iteration: false']],
    at: 'allow_on_headers_stop_iteration',
    says: 'has to be true',
  },
  {
    rule: 'hold-flag',
    base: 'hold',
    edits: [[/^ +allow_on_headers.*\n/m, '']],
    at: 'allow_on_headers_stop_iteration',
    says: 'has to be true',
  },
  {
    rule: 'hold-flag',
    base: 'pair',
    edits: [['root_id: sluice\n', 'root_id: sluice\n                        allow_on_headers_stop_iteration: true\n']],
    at: 'allow_on_headers_stop_iteration',
    says: 'no place where hostMode is pair',
  },
  {
    rule: 'pair',
    base: 'pair',
    edits: [['root_id: sluice\n', 'root_id: sluis\n']],
    at: 'http_filters[0].typed_config.config.root_id',
    says: 'is "sluis", and has to be sluice',
  },
  {
    rule: 'pair',
    base: 'pair',
    edits: [
      ['root_id: sluice\n', 'root_id: x\n'],
      ['root_id: sluice-holder', 'root_id: sluice'],
      ['root_id: x\n', 'root_id: sluice-holder\n'],
    ],
    at: 'http_filters[1]',
    says: 'has to come before sluice-holder',
  },
  {
    rule: 'pair',
    base: 'pair',
    edits: [[/^ {18}- name: sluice-holder\n[^]*?(?=^ {18}- name: envoy)/m, '']],
    at: 'http_filters[0]',
    says: 'sluice-holder is missing behind it',
  },
  {
    rule: 'pair',
    base: 'pair',
    edits: [[/(sluice-holder[^]*)host_env_keys: \[SLUICE_KEY_1\]/, '$1host_env_keys: []']],
    at: 'http_filters[1].typed_config.config.vm_config.environment_variables',
    says: 'do not share a VM',
  },
  {
    rule: 'pair',
    base: 'pair',
    edits: [[/(sluice-holder[^]*)hostMode: pair/, '$1log: warn']],
    at: 'http_filters[1].typed_config.config.configuration.value.hostMode',
    says: 'is hold here, and pair in the other',
    also: ['hold-flag'],
  },
  {
    rule: 'pair',
    base: 'pair',
    edits: [
      [/hostMode: pair/g, 'hostMode: hold'],
      [/root_id: (sluice[\w-]*)\n/g, 'root_id: $1\n                        allow_on_headers_stop_iteration: true\n'],
    ],
    at: 'http_filters[1]',
    says: 'second Sluice filter',
  },

  // Default-deny routes
  {
    rule: 'fail-open',
    base: 'hold',
    edits: [['failure_policy: FAIL_RELOAD', 'failure_policy: FAIL_OPEN']],
    at: 'failure_policy',
    says: 'without the filter',
  },
  {
    rule: 'fail-open',
    base: 'hold',
    edits: [['failure_policy: FAIL_RELOAD', 'fail_open: true']],
    at: 'fail_open',
    says: 'without the filter',
  },
  {
    rule: 'fail-open',
    base: 'hold',
    edits: [['- name: sluice\n', '- name: sluice\n                    isOptional: true\n']],
    at: 'isOptional',
    says: 'go without the filter',
  },
  {
    rule: 'fail-open',
    base: 'hold',
    edits: [
      [
        "domains: ['*']",
        "domains: ['*']\n                      typed_per_filter_config: { sluice: { disabled: true } }",
      ],
    ],
    at: 'sluice.disabled',
    says: 'switches the filter off',
  },
  {
    rule: 'scalar',
    base: 'hold',
    edits: [['prefix: notes_', 'prefix: no']],
    at: 'servers[1].prefix',
    says: 'is written no, which Envoy reads as false',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [[defaultDeny, '']],
    at: 'virtual_hosts[0]',
    says: 'no route closes /mcp',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [['path_separated_prefix: /mcp', 'path: /mcp']],
    at: 'virtual_hosts[0]',
    says: 'no route closes /mcp/namespace/name',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [['- name: host_mode', `${catchAll}- name: host_mode`]],
    at: 'routes[2]',
    says: 'takes /mcp without a routing header before',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [
      ['- name: host_mode', `${catchAll.replace('prefix: /', "safe_regex: { regex: '/m.*' }")}- name: host_mode`],
    ],
    at: 'routes[2]',
    says: 'takes /mcp without',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [
      [
        '- name: everything\n                          match',
        '- match: { prefix: / }\n                          direct_response: { status: 500 }\n                        - name: everything\n                          match',
      ],
    ],
    at: 'routes[1]',
    says: 'stands behind a closed route',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [
      [
        '- name: host_mode',
        '- match: { prefix: /, headers: [{ name: x-mcp-servername, string_match: { exact: a }, invert_match: true }] }\n                          route: { cluster: notes }\n                        - name: host_mode',
      ],
    ],
    at: 'routes[2]',
    says: 'takes /mcp without a routing header',
  },

  {
    rule: 'closed-route',
    base: 'hold',
    edits: [
      [
        '- name: host_mode',
        '- match: { path: /mcp/a }\n                          direct_response: { status: 500 }\n                        - match: { path_separated_prefix: /mcp/a }\n                          route: { cluster: notes }\n                        - name: host_mode',
      ],
    ],
    at: 'routes[3]',
    says: 'takes /mcp/a/ without a routing header',
  },
  {
    rule: 'closed-route',
    base: 'hold',
    edits: [['- name: host_mode', `${catchAll.replace('prefix: /', 'path: /mcp/')}- name: host_mode`]],
    at: 'routes[2]',
    says: 'takes /mcp/ without a routing header',
  },

  // Routes
  {
    rule: 'server-route',
    base: 'hold',
    edits: [['string_match: { exact: notes }', 'string_match: { exact: nots }']],
    at: 'servers[1]',
    says: 'no route matches x-mcp-servername: notes; did you mean "nots"?',
    also: ['route-server'],
  },
  {
    rule: 'server-route',
    base: 'hold',
    edits: [[/prefix: \/\n( +headers.*notes)/, 'prefix: /other\n$1']],
    at: 'routes[1]',
    says: 'is for notes, but does not match /mcp',
  },
  {
    rule: 'server-route',
    base: 'hold',
    edits: [["domains: ['*']", 'domains: [mcp.example.com]']],
    at: 'servers[0]',
    says: 'no virtual host takes 127.0.0.1:3001',
  },
  {
    rule: 'route-server',
    base: 'hold',
    edits: [['string_match: { exact: notes }', 'string_match: { exact: nots }']],
    at: 'routes[1].match.headers[0]',
    says: 'nots is no server of the plugin configuration; did you mean "notes"?',
    also: ['server-route'],
  },
  {
    rule: 'route-cluster',
    base: 'hold',
    edits: [[/(exact: notes[^]*?)cluster: notes/, '$1cluster: everything']],
    at: 'routes[1].route.cluster',
    says: 'is everything, but the cluster of notes is notes',
  },
  {
    rule: 'route-header',
    base: 'hold',
    edits: [
      [
        'headers: [{ name: x-mcp-servername, string_match: { exact: notes } }]',
        'headers: [{ name: x-mcp-servrname, string_match: { exact: notes } }]',
      ],
    ],
    at: 'routes[1].match.headers[0]',
    says: 'did you mean "x-mcp-servername"?',
    also: ['closed-route', 'server-route'],
  },
  {
    rule: 'route-header',
    base: 'hold',
    edits: [
      [
        '- name: host_mode',
        '- match: { prefix: /, headers: [{ name: x-mcp-servername, present_match: true }] }\n                          route: { cluster_header: x-mcp-virtualserver, timeout: 0s }\n                        - name: host_mode',
      ],
    ],
    at: 'route.cluster_header',
    says: 'comes from the client',
  },
  {
    rule: 'forged-headers',
    base: 'hold',
    edits: [['- remove: x-mcp-toolname\n', '- remove: x-mcp-tool\n']],
    at: 'early_header_mutation_extensions',
    says: "a client's x-mcp-toolname",
  },
  {
    rule: 'forged-headers',
    base: 'hold',
    edits: [[/^ +early_header_mutation_extensions:\n[^]*?(?=^ +max_request)/m, '']],
    at: 'early_header_mutation_extensions',
    says: 'x-mcp-servername, x-mcp-method',
  },
  {
    rule: 'paths',
    base: 'hold',
    edits: [['normalize_path: true', 'normalize_path: false']],
    at: 'normalize_path',
    says: 'has to be true',
  },
  {
    rule: 'paths',
    base: 'hold',
    edits: [[/^ +merge_slashes: true\n/m, '']],
    at: 'merge_slashes',
    says: 'off by default',
  },
  {
    rule: 'paths',
    base: 'hold',
    edits: [['normalize_path: true', 'normalise_path: true']],
    at: 'normalize_path',
    says: 'is missing, and is off by default; is it "normalise_path", misspelt?',
  },
  {
    rule: 'paths',
    base: 'hold',
    edits: [['action: REJECT_REQUEST', 'action: KEEP_UNCHANGED']],
    at: 'path_with_escaped_slashes_action',
    says: 'is KEEP_UNCHANGED',
  },
  {
    rule: 'retries',
    base: 'hold',
    edits: [['retry_on: connect-failure,refused-stream', 'retry_on: 5xx,connect-failure']],
    at: 'routes[0].route.retry_policy.retry_on',
    says: '5xx may repeat',
  },
  {
    rule: 'retries',
    base: 'hold',
    edits: [["domains: ['*']", "domains: ['*']\n                      retry_policy: { retry_on: reset }"]],
    at: 'virtual_hosts[0].retry_policy.retry_on',
    says: 'reset may repeat',
  },
  {
    rule: 'retries',
    base: 'hold',
    edits: [
      [
        'retry_policy: # only',
        'hedge_policy: { hedge_on_per_try_timeout: true }\n                            retry_policy: # only',
      ],
    ],
    at: 'routes[0].route.hedge_policy.hedge_on_per_try_timeout',
    says: 'when its callTimeout is over',
  },
  {
    rule: 'retries',
    base: 'hold',
    edits: [['explicit_http_config', 'retry_policy: { retry_on: 5xx }\n          explicit_http_config']],
    at: 'HttpProtocolOptions.retry_policy.retry_on',
    says: '5xx may repeat',
  },
  {
    rule: 'mirrors',
    base: 'hold',
    edits: [
      [
        'retry_policy: # only',
        'request_mirror_policies: [{ cluster: notes }]\n                            retry_policy: # only',
      ],
    ],
    at: 'routes[0].route.request_mirror_policies',
    says: 'a copy of each call',
  },
  {
    rule: 'mirrors',
    base: 'hold',
    edits: [["domains: ['*']", "domains: ['*']\n                      request_mirror_policies: [{ cluster: notes }]"]],
    at: 'virtual_hosts[0].request_mirror_policies',
    says: 'a copy of each call',
  },
  {
    rule: 'mirrors',
    base: 'hold',
    edits: [['explicit_http_config', 'request_mirror_policies: [{ cluster: notes }]\n          explicit_http_config']],
    at: 'HttpProtocolOptions.request_mirror_policies',
    says: 'a copy of each call',
  },
  {
    rule: 'internal-redirects',
    base: 'hold',
    edits: [['retry_policy: # only', 'internal_redirect_policy: {}\n                            retry_policy: # only']],
    at: 'routes[0].route.internal_redirect_policy',
    says: 'a second time',
  },
  {
    rule: 'local-replies',
    base: 'hold',
    edits: [
      [
        'max_request_headers_kb: 60',
        "local_reply_config: { body_format: { text_format: '%LOCAL_REPLY_BODY%' } }\n                max_request_headers_kb: 60",
      ],
    ],
    at: 'local_reply_config.body_format',
    says: 'those of the module included',
  },
  {
    rule: 'local-replies',
    base: 'hold',
    edits: [
      [
        'max_request_headers_kb: 60',
        `local_reply_config:
                  mappers:
                    - filter: { response_flag_filter: { flags: [UF] } }
                      status_code: 502
                    - filter: { status_code_filter: { comparison: { op: GE, value: { default_value: 400, runtime_key: x } } } }
                      body: { inline_string: sorry }
                max_request_headers_kb: 60`,
      ],
    ],
    at: 'local_reply_config.mappers[1].body',
    says: 'replies of the module, too',
  },
  {
    rule: 'buffers',
    base: 'hold',
    edits: [
      [
        'http_filters:\n',
        `http_filters:
                  - name: envoy-mcp
                    typed_config:
                      '@type': type.googleapis.com/envoy.extensions.filters.http.mcp.v3.Mcp
`,
      ],
    ],
    at: 'http_filters[0].typed_config.max_request_body_size',
    says: '8192 by default',
  },
  {
    rule: 'route-timeout',
    base: 'hold',
    edits: [[/^ +timeout: 0s #.*\n/m, '']],
    at: 'routes[0].route',
    says: '15s, by default',
  },
  {
    rule: 'route-timeout',
    base: 'hold',
    edits: [['timeout: 0s #', 'timeout: 30s #']],
    at: 'routes[0].route.timeout',
    says: 'is 30s',
  },
  {
    rule: 'idle-timeout',
    base: 'hold',
    edits: [['stream_idle_timeout: 600s', 'stream_idle_timeout: 0s']],
    at: 'stream_idle_timeout',
    says: 'is 0',
  },
  {
    rule: 'idle-timeout',
    base: 'hold',
    edits: [[' idle_timeout: 600s', ' idle_timeout: 0.0s']],
    at: 'routes[0].route.idle_timeout',
    says: 'is 0',
  },
  {
    rule: 'unseen',
    base: 'hold',
    edits: [['route_config:', 'rds:']],
    at: 'typed_config',
    says: 'no routes in this file',
  },
  {
    rule: 'unseen',
    base: 'hold',
    edits: [['static_resources:\n  listeners:', 'dynamic_resources: { lds_config: {} }\nunused:\n  listeners:']],
    at: 'lds_config',
    says: 'brings listeners',
  },

  // The plugin's surroundings
  { rule: 'session-keys', base: 'hold', edits: [[/^ +sessions: .*\n/m, '']], at: 'value.sessions', says: 'no key' },
  {
    rule: 'environment',
    base: 'hold',
    edits: [['host_env_keys: [SLUICE_KEY_1]', 'host_env_keys: [SLUICE_KEY]']],
    at: 'sessions.keys[0].env',
    says: 'SLUICE_KEY_1 is not among the variables that reach the module; did you mean "SLUICE_KEY"?',
  },
  {
    rule: 'environment',
    base: 'hold',
    edits: [['host_env_keys: [SLUICE_KEY_1]', 'key_values: { SLUICE_KEY_1: secret }']],
    at: 'key_values.SLUICE_KEY_1',
    says: 'everyone sees',
    severity: 'warning',
  },
  {
    rule: 'buffers',
    base: 'hold',
    edits: [['per_connection_buffer_limit_bytes: 2097152', 'per_connection_buffer_limit_bytes: 1048576']],
    at: 'per_connection_buffer_limit_bytes',
    says: 'is 1048576; twice limits.heldBody is 2097152',
  },
  {
    rule: 'buffers',
    base: 'hold',
    edits: [[/^ +per_connection_buffer.*\n/m, '']],
    at: 'per_connection_buffer_limit_bytes',
    says: '1 MiB by default',
  },
  {
    rule: 'buffers',
    base: 'hold',
    edits: [['initial_stream_window_size: 2097152', 'initial_stream_window_size: 65536']],
    at: 'initial_stream_window_size',
    says: 'is 65536',
  },
  {
    rule: 'buffers',
    base: 'hold',
    edits: [inPlugin('limits: { heldBody: 2Mi }')],
    at: 'per_connection_buffer_limit_bytes',
    says: 'twice limits.heldBody is 4194304',
  },
  {
    rule: 'remote-ecds',
    base: 'hold',
    edits: [
      [
        /^( {18}- name: sluice\n) {20}typed_config:/m,
        '$1                    config_discovery:\n                     default_config:',
      ],
    ],
    at: 'code.remote',
    says: 'not again after an update',
  },
  {
    rule: 'fail-open',
    base: 'hold',
    edits: [
      [
        router,
        "                  - name: sluice-late\n                    config_discovery: { default_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }\n" +
          routerText,
      ],
    ],
    at: 'default_config',
    says: 'until the filter has come',
  },

  {
    rule: 'identity',
    base: 'hold',
    edits: [inPlugin('identity: { jwt: claims }')],
    at: 'identity.jwt',
    says: 'no filter before Sluice leaves claims in claims: no jwt_authn filter does',
  },
  {
    rule: 'identity',
    base: 'hold',
    edits: [
      inPlugin('identity: { jwt: claims }'),
      [
        'http_filters:\n',
        `http_filters:
                  - name: jwt
                    typed_config:
                      '@type': type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
                      providers: { a: { payload_in_metadata: claim } }
`,
      ],
    ],
    at: 'identity.jwt',
    says: 'there is claim',
  },

  {
    rule: 'identity',
    base: 'hold',
    edits: [inPlugin('identity: { jwt: claims }'), jwtAuthn('{ a: { payload_in_metadata: claims } }', '[]')],
    at: 'identity.jwt',
    says: 'no rule of jwt_authn that takes /mcp requires the provider a',
  },
  {
    rule: 'identity',
    base: 'hold',
    edits: [
      inPlugin('identity: { jwt: claims }'),
      jwtAuthn(
        '{ a: { payload_in_metadata: claims } }',
        '[{ match: { prefix: /other }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'identity.jwt',
    says: 'requires the provider a',
  },
  {
    rule: 'identity',
    base: 'hold',
    edits: [
      inPlugin('identity: { jwt: claims }'),
      jwtAuthn(
        '{ a: { payload_in_metadata: claims } }',
        '[{ match: { prefix: / } }, { match: { prefix: /mcp }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'identity.jwt',
    says: 'requires the provider a',
  },
  {
    rule: 'identity',
    base: 'hold',
    edits: [inPlugin('auth: { authorizationServers: ["https://id.example.com"] }')],
    at: 'auth',
    says: 'no filter before Sluice leaves claims in jwt: no jwt_authn filter does',
  },
  {
    rule: 'challenge',
    base: 'hold',
    edits: [
      inPlugin('auth: { authorizationServers: ["https://id.example.com"] }'),
      jwtAuthn(
        '{ a: { payload_in_metadata: jwt, failed_status_in_metadata: refused-0 } }',
        '[{ match: { prefix: / }, requires: { requires_any: { requirements: [{ provider_name: a }, { allow_missing: {} }] } } }]',
      ),
    ],
    at: 'auth',
    says: 'jwt_authn itself refuses what is no good token for a',
  },
  {
    rule: 'challenge',
    base: 'hold',
    edits: [
      inPlugin('auth: { authorizationServers: ["https://id.example.com"] }'),
      jwtAuthn(
        '{ a: { payload_in_metadata: jwt, failed_status_in_metadata: refused }, b: { payload_in_metadata: jwt } }',
        '[{ match: { prefix: / }, requires: { requires_any: { requirements: [{ provider_name: a }, { provider_name: b }, { allow_missing_or_failed: {} }] } } }]',
      ),
    ],
    at: 'auth',
    says: 'Sluice does not learn why a token is no good for a, b',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [inPlugin('allowedCapabilities: { absent: hide }')],
    at: 'allowedCapabilities',
    says: 'no filter before Sluice leaves claims in capabilities: no jwt_authn filter does',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [
      inPlugin('allowedCapabilities: { jwt: rights }'),
      jwtAuthn(
        '{ a: { forward: true, from_headers: [{ name: x-mcp-authorized }], payload_in_metadata: capabilities } }',
        '[{ match: { prefix: / }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'allowedCapabilities.jwt',
    says: 'no filter before Sluice leaves claims in rights: there is capabilities',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [
      inPlugin('allowedCapabilities: { absent: hide }'),
      jwtAuthn(
        '{ a: { forward: true, from_headers: [{ name: x-mcp-authorized }], payload_in_metadata: capabilities } }',
        '[{ match: { prefix: / }, requires: { allow_missing: {} } }]',
      ),
    ],
    at: 'allowedCapabilities',
    says: 'no rule of jwt_authn that takes /mcp requires the provider a',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [
      inPlugin('allowedCapabilities: { absent: hide }'),
      jwtAuthn(
        '{ a: { from_headers: [{ name: x-mcp-authorized }], payload_in_metadata: capabilities } }',
        '[{ match: { prefix: / }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'allowedCapabilities',
    says: 'the provider a takes x-mcp-authorized away, without forward: true',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [
      inPlugin('allowedCapabilities: { absent: hide }'),
      jwtAuthn(
        '{ a: { forward: true, payload_in_metadata: capabilities } }',
        '[{ match: { prefix: / }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'allowedCapabilities',
    says: 'does not take its token from x-mcp-authorized alone',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [
      inPlugin('allowedCapabilities: { absent: hide }'),
      jwtAuthn(
        '{ a: { forward: true, from_headers: [{ name: authorization }, { name: x-mcp-authorized }], payload_in_metadata: capabilities } }',
        '[{ match: { prefix: / }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'allowedCapabilities',
    says: 'does not take its token from x-mcp-authorized alone',
  },
  {
    rule: 'allowed-capabilities',
    base: 'hold',
    edits: [
      inPlugin('allowedCapabilities: { absent: hide }'),
      jwtAuthn(
        '{ a: { forward: true, from_headers: [{ name: x-mcp-authorized }], payload_in_metadata: capabilities, from_params: [t] } }',
        '[{ match: { prefix: / }, requires: { provider_name: a } }]',
      ),
    ],
    at: 'allowedCapabilities',
    says: 'does not take its token from x-mcp-authorized alone',
  },
  {
    rule: 'environment',
    base: 'hold',
    edits: [['host_env_keys: [SLUICE_KEY_1]', 'host_env_keys: [SLUICE_KEY_1, SLUICE_KEY_1]']],
    at: 'host_env_keys[1]',
    says: 'SLUICE_KEY_1 is named twice',
  },
  {
    rule: 'environment',
    base: 'hold',
    edits: [
      [
        'host_env_keys: [SLUICE_KEY_1]',
        'host_env_keys: [SLUICE_KEY_1]\n                            key_values: { SLUICE_KEY_1: x }',
      ],
    ],
    at: 'key_values.SLUICE_KEY_1',
    says: 'SLUICE_KEY_1 is named twice',
  },
  {
    rule: 'module-url',
    base: 'hold',
    edits: [[/plugins\/sluice\/[^/]+\/plugin\.wasm/, 'plugins/sluice/%5E0.1/plugin.wasm']],
    at: 'http_uri.uri',
    says: '^0.1 is no version',
  },
  {
    rule: 'module-url',
    base: 'hold',
    edits: [[/plugins\/sluice\/[^/]+\/plugin\.wasm/, 'plugins/sluice/latest/plugin.wasm']],
    at: 'http_uri.uri',
    says: 'latest is no version',
  },
  {
    rule: 'module-url',
    base: 'hold',
    edits: [[/plugins\/sluice\/[^/]+\/plugin\.wasm/, 'files/sluice.tar.gz']],
    at: 'http_uri.uri',
    says: 'is packed',
  },
  {
    rule: 'placeholder',
    base: 'hold',
    edits: [[/plugins\/sluice\/[^/]+\/plugin\.wasm/, 'plugins/${NAME}.wasm']],
    at: 'http_uri.uri',
    says: 'has ${NAME} left in it',
  },
  {
    rule: 'placeholder',
    base: 'hold',
    edits: [
      [
        'path: /mcp\n                                prefix: notes_',
        'path: /{{ .Values.path }}\n                                prefix: notes_',
      ],
    ],
    at: 'servers[1].path',
    says: 'has {{ .Values.path }} left in it',
  },
  ...(['allow', 'deny'] as const).map((effect): Case => ({
    rule: 'annotations',
    base: 'hold',
    edits: [
      [
        'hostMode: hold',
        `hostMode: hold\n                            authorization: { rules: [{ name: r, effect: ${effect}, annotations: { readOnlyHint: true } }] }`,
      ],
    ],
    at: '.rules[0].annotations',
    says: effect === 'allow' ? 'lets nobody use tools' : 'can be evaded',
  })),
  {
    rule: 'tool-search',
    base: 'hold',
    edits: [inPlugin('toolSearch: { enabled: true }')],
    at: '.servers[0]',
    says: 'has no listCache, so each search asks it for its list',
  },
  ...(
    [
      ["'/items/{idd}'", 'requestTemplate.url', '{idd} is no argument of position path; did you mean "id"?'],
      ["'/items/{{.args.id}}'", 'args[0].name', 'id has no place in the URL, which lacks {id}'],
    ] as const
  ).map(([url, at, says]): Case => ({
    rule: 'rest-path',
    base: 'hold',
    edits: [
      [
        'prefix: notes_',
        `prefix: notes_\n                                rest: { tools: [{ name: get, args: [{ name: id, position: path }], requestTemplate: { url: ${url} } }] }`,
      ],
    ],
    at,
    says,
  })),
  {
    rule: 'open-root',
    base: 'hold',
    edits: [
      [
        'hostMode: hold',
        'hostMode: hold\n                            virtualServers: [{ name: a/b, tools: [notes_*] }]',
      ],
    ],
    at: '.root',
    says: 'is open by default, beside virtual servers',
  },
  {
    rule: 'patterns',
    base: 'hold',
    edits: [['prefix: notes_', 'prefix: notes_\n                                tools: { allow: [notes_get] }']],
    at: 'tools.allow[0]',
    says: 'did you mean "get"?',
  },
  {
    rule: 'patterns',
    base: 'hold',
    edits: [['prefix: notes_', 'prefix: notes_\n                                tools: { deny: [notes_*] }']],
    at: 'tools.deny[0]',
    says: 'begins with the gateway',
  },
  {
    rule: 'patterns',
    base: 'hold',
    edits: [['prefix: notes_', 'prefix: notes_\n                                tools: { allow: [get], deny: ["*"] }']],
    at: 'tools.allow[0]',
    says: 'is denied too',
  },
  {
    rule: 'passthrough',
    base: 'hold',
    edits: [
      [
        'prefix: notes_',
        'prefix: notes_\n                                credentials: { type: passthrough, headers: [x_key] }',
      ],
    ],
    at: 'credentials.headers[0]',
    says: 'x_key has an underscore: the listener drops it',
  },
  {
    rule: 'passthrough',
    base: 'hold',
    edits: [
      [
        'prefix: notes_',
        'prefix: notes_\n                                credentials: { type: passthrough, headers: [x-key] }',
      ],
      ['- remove: x-mcp-servername', '- remove: X-Key\n                        - remove: x-mcp-servername'],
    ],
    at: 'credentials.headers[0]',
    says: 'is removed by early_header_mutation_extensions',
  },
  {
    rule: 'passthrough',
    base: 'hold',
    edits: [
      [
        'prefix: notes_',
        'prefix: notes_\n                                credentials: { type: passthrough, headers: [x-key] }',
      ],
      ['route_config:\n', 'route_config:\n                  request_headers_to_remove: [x-key]\n'],
    ],
    at: 'credentials.headers[0]',
    says: 'is removed by request_headers_to_remove',
  },
  {
    rule: 'passthrough',
    base: 'hold',
    edits: [
      ['prefix: notes_', `prefix: notes_\n                                ${exchange('notes')}`],
      jwtAuthn('{ a: { payload_in_metadata: claims } }', '[]'),
    ],
    at: 'credentials.type',
    says: 'authorization is taken away by jwt_authn, without forward: true',
  },
  {
    rule: 'passthrough',
    base: 'hold',
    edits: [
      ['prefix: notes_', `prefix: notes_\n                                ${exchange('notes')}`],
      ['route_config:\n', 'route_config:\n                  request_headers_to_remove: [Authorization]\n'],
    ],
    at: 'credentials.type',
    says: 'is removed by request_headers_to_remove',
  },
  {
    rule: 'passthrough',
    base: 'hold',
    edits: [
      [
        'prefix: notes_',
        'prefix: notes_\n                                credentials: { type: passthrough, headers: [authorization] }',
      ],
      jwtAuthn('{ a: { payload_in_metadata: claims } }', '[]'),
    ],
    at: 'credentials.headers[0]',
    says: 'is taken away by jwt_authn',
  },
  {
    rule: 'call-timeout',
    base: 'hold',
    edits: [['stream_idle_timeout: 600s', 'stream_idle_timeout: 300s']],
    at: 'stream_idle_timeout',
    says: 'is 300s, and callTimeout 600s',
  },
  {
    rule: 'call-timeout',
    base: 'hold',
    edits: [[/ +stream_idle_timeout: 600s\n/, '']],
    at: 'stream_idle_timeout',
    says: 'is 300s by default, and callTimeout 600s',
  },
  {
    rule: 'call-timeout',
    base: 'hold',
    edits: [['prefix: notes_', 'prefix: notes_\n                                tools: { timeouts: { x: 2h } }']],
    at: 'stream_idle_timeout',
    says: 'callTimeout 2h',
  },
  {
    rule: 'call-timeout',
    base: 'hold',
    edits: [['prefix: notes_', 'prefix: notes_\n                                callTimeout: 1h']],
    at: 'stream_idle_timeout',
    says: 'callTimeout 1h',
  },
  {
    rule: 'call-timeout',
    base: 'hold',
    edits: [[' idle_timeout: 600s', ' idle_timeout: 9.5s']],
    at: 'idle_timeout',
    says: 'is 9.5s',
  },

  // Files
  {
    rule: 'yaml',
    base: 'hold',
    edits: [['normalize_path: true', 'normalize_path: true\n                normalize_path: false']],
    at: '',
    says: 'normalize_path is given twice',
  },
  {
    rule: 'yaml',
    base: 'hold',
    edits: [['normalize_path: true', 'normalize_path: [true']],
    at: '',
    says: 'is not YAML',
  },
  {
    rule: 'yaml',
    base: 'hold',
    edits: [[/$/, '\n---\nstatic_resources: {}\n']],
    at: '',
    says: 'only the first one',
    also: ['filter'],
  },
  { rule: 'kind', base: 'hold', edits: [[/[^]*/, 'severs: []\n']], at: '', says: 'did you mean "servers"?' },

  // Istio
  {
    rule: 'fail-open',
    base: 'istio pair',
    edits: [['failStrategy: FAIL_CLOSE', 'failStrategy: FAIL_OPEN']],
    at: 'spec.failStrategy',
    says: 'without the filter',
  },
  {
    rule: 'digest',
    base: 'istio pair',
    edits: [[/sha256: d1/g, 'sha256: ab']],
    at: 'spec.sha256',
    says: 'is not the digest',
  },
  { rule: 'digest', base: 'istio pair', edits: [[/ {2}sha256: .*\n/g, '']], at: 'spec.sha256', says: 'is missing' },
  {
    rule: 'hold-flag',
    base: 'istio pair',
    edits: [[/hostMode: pair/g, 'hostMode: hold']],
    at: 'pluginConfig.hostMode',
    says: 'has to be pair in a WasmPlugin',
  },
  {
    rule: 'pair',
    base: 'istio pair',
    edits: [['priority: 10', 'priority: 30']],
    at: 'spec.priority',
    says: 'has to be lower',
  },
  {
    rule: 'pair',
    base: 'istio pair',
    edits: [['phase: AUTHZ', 'phase: AUTHN']],
    at: 'spec.phase',
    says: 'which of them is first',
  },
  {
    rule: 'pair',
    base: 'istio pair',
    edits: [[/(sluice-holder[^]*)env: \[.*\]/, '$1env: []']],
    at: 'spec.vmConfig',
    says: 'do not share a VM',
  },
  {
    rule: 'pair',
    base: 'istio pair',
    edits: [['pluginName: sluice-holder', 'pluginName: holder']],
    at: 'spec.pluginName',
    says: 'is "holder"',
  },
  {
    rule: 'pair',
    base: 'istio pair',
    edits: [['sluice-holder, namespace: ingress', 'sluice-holder, namespace: other']],
    at: '',
    says: 'pluginName sluice-holder is missing',
  },
  {
    rule: 'environment',
    base: 'istio pair',
    edits: [[/env: \[.*\]/g, 'env: []']],
    at: 'keys[0].env',
    says: 'SLUICE_KEY_1 is not among',
  },
  {
    rule: 'session-keys',
    base: 'istio pair',
    edits: [[/ +sessions: .*\n/, '']],
    at: 'pluginConfig.sessions',
    says: 'no key',
  },
  {
    rule: 'closed-route',
    base: 'istio pair',
    edits: [['directResponse: { status: 500 }', 'route: [{ destination: { host: web } }]']],
    at: 'spec.http[1]',
    says: 'takes /mcp without a routing header',
  },
  {
    rule: 'closed-route',
    base: 'istio pair',
    edits: [[', { uri: { prefix: /mcp/ } }', '']],
    at: 'spec.http[2]',
    says: 'takes /mcp/namespace/name without a routing header',
  },
  {
    rule: 'server-route',
    base: 'istio pair',
    edits: [['exact: weather', 'exact: wether']],
    at: 'servers[0]',
    says: 'did you mean "wether"?',
    also: ['route-server'],
  },
  {
    rule: 'server-route',
    base: 'istio pair',
    edits: [[", '*.tools.svc.cluster.local'", '']],
    at: 'servers[0]',
    says: 'no virtual host takes weather.tools.svc.cluster.local:8080',
  },
  {
    rule: 'route-server',
    base: 'istio pair',
    edits: [['exact: weather', 'exact: wether']],
    at: 'x-mcp-servername',
    says: 'did you mean "weather"?',
    also: ['server-route'],
  },
  {
    rule: 'route-cluster',
    base: 'istio pair',
    edits: [['host: weather, port: { number: 8080 }', 'host: weather, port: { number: 80 }']],
    at: 'destination',
    says: 'is outbound|80||weather.tools.svc.cluster.local, but',
  },
  {
    rule: 'route-header',
    base: 'istio pair',
    edits: [['x-mcp-servername: { exact', 'x-mcp-virtualserver: { exact']],
    at: 'x-mcp-virtualserver',
    says: 'which clients may send',
    also: ['closed-route', 'server-route'],
  },
  {
    rule: 'retries',
    base: 'istio pair',
    edits: [[/ +retries: .*\n/, '']],
    at: 'spec.http[0].retries',
    says: "Istio's default retries more",
  },
  {
    rule: 'retries',
    base: 'istio pair',
    edits: [['connect-failure,refused-stream', 'connect-failure,gateway-error']],
    at: 'retries.retryOn',
    says: 'gateway-error may repeat',
  },
  {
    rule: 'mirrors',
    base: 'istio pair',
    edits: [[/( +)retries:/, '$1mirror: { host: notes }\n$1retries:']],
    at: 'spec.http[0].mirror',
    says: 'a copy of each call',
  },
  {
    rule: 'mirrors',
    base: 'istio pair',
    edits: [[/( +)retries:/, '$1mirrors: [{ destination: { host: notes } }]\n$1retries:']],
    at: 'spec.http[0].mirrors',
    says: 'a copy of each call',
  },
  {
    rule: 'route-timeout',
    base: 'istio pair',
    edits: [[/( +)retries:/, '$1timeout: 15s\n$1retries:']],
    at: 'timeout',
    says: 'is 15s',
  },
  {
    rule: 'paths',
    base: 'istio pair',
    edits: [[/[^]*/, 'meshConfig: { pathNormalization: { normalization: BASE } }\n']],
    at: 'pathNormalization.normalization',
    says: 'is BASE',
  },
  {
    rule: 'vm-id',
    base: 'istio hold',
    edits: [[/vm_id: .*/, 'vm_id: sluice']],
    at: 'value.config.vm_config.vm_id',
    says: 'does not contain',
  },
  {
    rule: 'hold-flag',
    base: 'istio hold',
    edits: [['iteration: true', 'iteration: false']],
    at: 'allow_on_headers_stop_iteration',
    says: 'has to be true',
  },
  {
    rule: 'environment',
    base: 'istio hold',
    edits: [['[SLUICE_KEY_1]', '[]']],
    at: 'configuration.value.sessions.keys[0].env',
    says: 'is not among',
  },
  { rule: 'idle-timeout', base: 'istio hold', edits: [['600s', '0s']], at: 'stream_idle_timeout', says: 'is 0' },
  {
    rule: 'buffers',
    base: 'istio hold',
    edits: [['2097152', '65536']],
    at: 'per_connection_buffer_limit_bytes',
    says: 'is 65536',
  },
];
