// Envoy Gateway (gateway.envoyproxy.io): the module by an EnvoyExtensionPolicy, servers as Backends behind HTTPRoutes.
import { bytesOf } from '../buffers.ts';
import { type Bootstrap, endpointOf, environmentNames, shippedBootstrap } from '../bootstrap.ts';
import { partsOf } from '../module-filter.ts';
import { refuse } from '../refuse.ts';
import { type LocatedServer, moduleConfiguration } from '../servers.ts';
import { type Issuer, capabilityIssuersOf, impliedPayload, issuersOf } from '../token-filter.ts';
import { type ClusterHost, clusterHost } from './cluster-host.ts';
import { isolatedSessions } from './notes.ts';
import type { RenderOptions } from './options.ts';
import { type RenderedGateway, type Rendering, type Target, moduleUrl } from './target.ts';

const group = 'gateway.envoyproxy.io';
const version = `${group}/v1alpha1`;
const routeVersion = 'gateway.networking.k8s.io/v1';
/** The prefix of what is about one server, and the name of what is about all of them. */
const name = 'mcp';
/** By which the policy for connections to servers finds their routes. */
const labels = { 'app.kubernetes.io/part-of': 'sluice' };

export const envoyGatewayTarget: Target = {
  summary: 'Envoy Gateway: policies, Backends and HTTPRoutes for a Gateway that is there',
  hostModes: ['pair', 'headers'],
  otherModes: 'Envoy Gateway has no member for the flag that it needs: leave hostMode out',
  foreignClusters: false,
  catalog:
    'it knows no route that takes its cluster from a header: name the servers, or have live delivery configure Envoys of their own (docs/live.md)',
  options: { namespace: 'sluice', parent: 'mcp', release: '1.10', 'cluster-domain': 'cluster.local' },
  render: renderEnvoyGateway,
};

function renderEnvoyGateway(gateway: RenderedGateway, options: RenderOptions): Rendering {
  const { plugin, servers } = gateway;
  const placed = placesOf(servers, options['cluster-domain']);
  const configuration = moduleConfiguration(gateway, (server) => clusterOf(server, options));
  const shipped = shippedBootstrap();
  return {
    documents: [
      ...placed.map(([server, place]) => backend(server, place, options)),
      clientPolicy(plugin, shipped, options),
      ...tokenPolicy(plugin, options),
      extensionPolicy(gateway, configuration, options),
      connectionPolicy(options),
      denial(shipped, options),
      denyRoute(plugin, options),
      ...placed.map(([server, place]) => serverRoute(server, place, plugin, options)),
    ],
    notes: [
      `For the Gateway ${options.parent} in ${options.namespace}; its listener has no hostname, as the module writes the hosts of servers.`,
      'Envoy Gateway has to be told that Backends are allowed: extensionApis.enableBackend: true.',
      ...(options.release === '1.9' && configuration['hostMode'] === 'pair'
        ? [
            'Envoy Gateway 1.9 gives each filter a VM of its own: calls are answered whole, and none streams. 1.10 shares it.',
          ]
        : []),
      ...variablesNote(configuration),
      ...isolatedSessions(plugin),
    ],
  };
}

function variablesNote(configuration: object): string[] {
  const variables = environmentNames(configuration);
  return variables.length === 0
    ? []
    : [
        `The Envoys of the Gateway need in their environment (EnvoyProxy, envoyDeployment.container.env): ${variables.join(', ')}`,
      ];
}

/** Each server's name and place. */
function placesOf(servers: readonly LocatedServer[], domain: string): [string, ClusterHost][] {
  const problems: string[] = [];
  const places = servers.flatMap(({ entry, upstream }, index): [string, ClusterHost][] => {
    try {
      if (upstream === undefined) return [];
      const place = clusterHost(upstream, domain);
      if (place.tls && place.kind === 'address')
        throw new Error('Envoy Gateway holds a certificate to a name, never to an address: name the server');
      return [[entry.name, place]];
    } catch (error) {
      problems.push(`servers[${index}].url: ${(error as Error).message}`);
      return [];
    }
  });
  refuse(problems);
  return places;
}

/** The cluster that Envoy Gateway makes of the first rule of a server's route, which callouts of the module go to as well. */
function clusterOf(server: string, { namespace }: RenderOptions): string {
  return `httproute/${namespace}/${name}-${server}/rule/0`;
}

function backend(server: string, { kind, host, port, tls }: ClusterHost, { namespace }: RenderOptions): object {
  const endpoint = kind === 'address' ? { ip: { address: host, port } } : { fqdn: { hostname: host, port } };
  return {
    apiVersion: version,
    kind: 'Backend',
    metadata: { name: `${name}-${server}`, namespace },
    spec: {
      endpoints: [endpoint],
      // The certificate is held to the name that SNI asks for.
      ...(tls && { tls: { wellKnownCACertificates: 'System', alpnProtocols: ['http/1.1'], sni: host } }),
    },
  };
}

function gatewayRef(parent: string): object {
  return { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: parent };
}

/** The limits of the listener, and the headers that no client may send. */
function clientPolicy(
  plugin: RenderedGateway['plugin'],
  shipped: Bootstrap,
  { namespace, parent }: RenderOptions,
): object {
  const [listener] = shipped.static_resources.listeners;
  const manager = listener.filter_chains[0].filters[0].typed_config;
  const { initial_stream_window_size, initial_connection_window_size } = manager.http2_protocol_options;
  const heldBody = bytesOf((plugin['limits'] as { heldBody?: unknown } | undefined)?.heldBody) ?? 0;
  const atLeast = (bytes: number): string => String(Math.max(bytes, Math.min(2 * heldBody, 2 ** 31 - 1)));
  return {
    apiVersion: version,
    kind: 'ClientTrafficPolicy',
    metadata: { name, namespace },
    spec: {
      targetRefs: [gatewayRef(parent)],
      connection: { bufferLimit: atLeast(listener.per_connection_buffer_limit_bytes) },
      http1: { http10: {} },
      http2: {
        initialStreamWindowSize: atLeast(initial_stream_window_size),
        initialConnectionWindowSize: atLeast(initial_connection_window_size),
        maxConcurrentStreams: manager.http2_protocol_options.max_concurrent_streams,
        onInvalidMessage: 'TerminateStream',
      },
      path: { escapedSlashesAction: 'RejectRequest', disableMergeSlashes: false },
      headers: {
        withUnderscoresAction: 'DropHeader',
        earlyRequestHeaders: {
          remove: manager.early_header_mutation_extensions[0].typed_config.mutations.map((each) => each.remove),
        },
      },
      timeout: {
        http: {
          requestReceivedTimeout: manager.request_timeout,
          streamIdleTimeout: manager.stream_idle_timeout,
        },
      },
    },
  };
}

/** Has Envoy Gateway verify tokens; what has none passes, and is the module's to refuse. */
function tokenPolicy(plugin: RenderedGateway['plugin'], { namespace, parent }: RenderOptions): object[] {
  const issuers = issuersOf(plugin);
  const [issuer] = issuers;
  const problems: string[] = [];
  if (capabilityIssuersOf(plugin).length > 0)
    problems.push(
      'allowedCapabilities.issuers: Envoy Gateway verifies one token of a request, and this is a second one: leave issuers out, and add the filter by an EnvoyPatchPolicy (docs/authorization.md)',
    );
  refuse(problems);
  if (issuer === undefined) return [];
  if (issuers.length > 1)
    problems.push(
      'auth.issuers: Envoy Gateway leaves the claims of each issuer elsewhere, and the module looks in one place: name one',
    );
  if ('file' in issuer.jwks)
    problems.push('auth.issuers[0].jwks.file: Envoy Gateway fetches keys itself: name their url');
  refuse(problems);
  return [
    {
      apiVersion: version,
      kind: 'SecurityPolicy',
      metadata: { name, namespace },
      spec: {
        targetRefs: [gatewayRef(parent)],
        jwt: { optional: true, providers: [providerOf(issuer, plugin)] },
      },
    },
  ];
}

/** Claims are left under the name of the provider. */
function providerOf({ issuer, audiences = [], jwks }: Issuer, plugin: RenderedGateway['plugin']): object {
  const { jwt = impliedPayload } = (plugin['identity'] ?? {}) as { jwt?: unknown };
  return {
    name: jwt,
    issuer,
    ...(audiences.length > 0 && { audiences }),
    ...('url' in jwks && { remoteJWKS: { uri: jwks.url } }),
  };
}

function extensionPolicy(
  { module }: RenderedGateway,
  configuration: Readonly<Record<string, unknown>>,
  { namespace, parent, release }: RenderOptions,
): object {
  const hostKeys = environmentNames(configuration);
  const parts = partsOf(configuration);
  return {
    apiVersion: version,
    kind: 'EnvoyExtensionPolicy',
    metadata: { name, namespace },
    spec: {
      targetRefs: [gatewayRef(parent)],
      wasm: parts.map((part) => ({
        name: part.name,
        rootID: part.name,
        // Both of a pair in one VM, where they can talk.
        ...(release !== '1.9' && parts.length > 1 && { vmSharingScope: 'Namespace' }),
        code: { type: 'HTTP', http: { url: moduleUrl(module), sha256: module.sha256 } },
        failOpen: false,
        ...(hostKeys.length > 0 && { env: { hostKeys } }),
        config: part.configuration,
      })),
    },
  };
}

/** How the Envoys connect to the servers. */
function connectionPolicy({ namespace }: RenderOptions): object {
  return {
    apiVersion: version,
    kind: 'BackendTrafficPolicy',
    metadata: { name, namespace },
    spec: {
      targetSelectors: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', matchLabels: labels }],
      // Only what no server has seen: a tool call may not happen twice.
      retry: { numRetries: 2, retryOn: { triggers: ['connect-failure', 'refused-stream'] } },
      timeout: {
        tcp: { connectTimeout: '1s' },
        // Node closes a connection after 5 s of silence. A POST sent at that moment would be a 503 that nobody retries.
        http: { connectionIdleTimeout: '4s', streamIdleTimeout: '600s' },
      },
    },
  };
}

/** What answers a request that no module has decided on. */
function denial(shipped: Bootstrap, { namespace }: RenderOptions): object {
  const { routes } =
    shipped.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0];
  const reply = routes.find(({ direct_response }) => direct_response !== undefined)?.direct_response;
  if (reply === undefined) throw new Error('envoy.yaml has no default-deny route');
  return {
    apiVersion: version,
    kind: 'HTTPRouteFilter',
    metadata: { name: `${name}-default-deny`, namespace },
    spec: {
      directResponse: {
        contentType: 'application/json',
        statusCode: reply.status,
        body: { type: 'Inline', inline: reply.body.inline_string },
      },
    },
  };
}

function route(routeName: string, { namespace, parent }: RenderOptions, rules: readonly object[], more = {}): object {
  return {
    apiVersion: routeVersion,
    kind: 'HTTPRoute',
    metadata: { name: routeName, namespace, ...more },
    spec: { parentRefs: [{ name: parent }], rules },
  };
}

/**
 * The default-deny route. A filter of Envoy Gateway runs where a route matches, so the pages that the module answers
 * for OAuth's clients are here as well.
 */
function denyRoute(plugin: RenderedGateway['plugin'], options: RenderOptions): object {
  const paths = [
    endpointOf(plugin),
    ...(plugin['auth'] === undefined ? [] : ['/.well-known/oauth-protected-resource']),
  ];
  const filters = [
    { type: 'ExtensionRef', extensionRef: { group, kind: 'HTTPRouteFilter', name: `${name}-default-deny` } },
  ];
  return route(name, options, [
    { matches: paths.map((path) => ({ path: { type: 'PathPrefix', value: path } })), filters },
  ]);
}

/**
 * The route of a server, by the header that the module sets. The Gateway API prefers the longer path to the header, so the
 * endpoint is there beside the root: of two equal paths the one with the header is first.
 */
function serverRoute(
  server: string,
  { port }: ClusterHost,
  plugin: RenderedGateway['plugin'],
  options: RenderOptions,
): object {
  const headers = [{ type: 'Exact', name: 'x-mcp-servername', value: server }];
  const matches = ['/', endpointOf(plugin)].map((value) => ({ path: { type: 'PathPrefix', value }, headers }));
  const backendRefs = [{ group, kind: 'Backend', name: `${name}-${server}`, port }];
  // An event stream may last; silence may not.
  return route(`${name}-${server}`, options, [{ matches, backendRefs, timeouts: { request: '0s' } }], { labels });
}
