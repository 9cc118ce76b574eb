// What leads from an Istio gateway to the MCP servers: hosts of elsewhere, connections, listener, routes, limits.
import { isIP } from 'node:net';
import { endpointOf } from '../bootstrap.ts';
import { type Buffers, type Windows, fitBuffers } from '../buffers.ts';
import { refuse } from '../refuse.ts';
import type { RenderOptions } from '../targets/options.ts';
import type { RenderedGateway } from '../targets/target.ts';
import { catalogRoute } from './catalog.ts';
import { type MeshHost, type MeshServer, meshServers } from './mesh-host.ts';
import { labelsOf } from './labels.ts';
import { type Resource, shippedResources } from './templates.ts';

type Options = Pick<RenderOptions, 'namespace' | 'selector' | 'cluster-domain'>;
type Plugin = Readonly<Record<string, unknown>>;

/** All resources beside the module itself, those that requests depend on last. */
export function serviceResources({ plugin, servers }: RenderedGateway, options: Options): Resource[] {
  const found = meshServers(servers, options['cluster-domain']);
  const hosts = groupByHost(found);
  const hasCatalog = plugin['catalog'] !== undefined;
  // The hosts of a catalog's servers are not known: the module refuses what `hosts` does not name.
  const names = hasCatalog ? ['*'] : hostNames(plugin, found);
  return [
    ...hosts.flatMap((host) => serviceEntry(host, options)),
    ...hosts.map((host) => destinationRule(host, options)),
    limits(plugin, options),
    ...(hasCatalog ? [catalogRoute(options)] : []),
    ...routes({ plugin, found, names, options }),
  ];
}

/** A host and its ports, each once. */
interface PortedHost {
  /** What resources about the host are called: the name of its first server. */
  readonly title: string;
  readonly ports: readonly [MeshHost, ...MeshHost[]];
}

function groupByHost(found: readonly MeshServer[]): PortedHost[] {
  const hosts = new Map<string, { title: string; ports: [MeshHost, ...MeshHost[]] }>();
  const problems: string[] = [];
  for (const { server, place } of found) {
    const host = hosts.get(place.name);
    if (host === undefined) {
      hosts.set(place.name, { title: server.entry.name, ports: [place] });
      continue;
    }
    const same = host.ports.find(({ port }) => port === place.port);
    if (same === undefined) host.ports.push(place);
    else if (same.tls !== place.tls)
      problems.push(`servers: ${host.title} and ${server.entry.name} are one port, with https and without it`);
  }
  refuse(problems);
  return [...hosts.values()];
}

/** What makes a host of elsewhere known to the mesh. The gateway makes the TLS itself, as the DestinationRule says. */
function serviceEntry({ title, ports }: PortedHost, { namespace }: Options): Resource[] {
  const [{ kind, name, host }] = ports;
  if (kind !== 'name' && kind !== 'address') return [];
  return [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'ServiceEntry',
      metadata: { name: title, namespace },
      spec: {
        hosts: [name],
        exportTo: ['.'],
        location: 'MESH_EXTERNAL',
        ports: ports.map(({ port, tls }) => ({
          number: port,
          name: `${tls ? 'https' : 'http'}-${port}`,
          protocol: tls ? 'HTTPS' : 'HTTP',
        })),
        ...(kind === 'address' ? { resolution: 'STATIC', endpoints: [{ address: host }] } : { resolution: 'DNS' }),
      },
    },
  ];
}

function destinationRule({ title, ports }: PortedHost, { namespace }: Options): Resource {
  const [template] = shippedResources<{ trafficPolicy: object }>('destinationrules.yaml', 'envoy/istio');
  if (template === undefined) throw new Error('destinationrules.yaml is empty');
  const [first, ...others] = ports;
  // What is said of a port replaces all that is said of the host.
  const policies = ports.map((each) => ({ ...template.spec.trafficPolicy, ...tlsOf(each) }));
  const trafficPolicy =
    others.length === 0
      ? policies[0]
      : { portLevelSettings: ports.map(({ port }, index) => ({ port: { number: port }, ...policies[index] })) };
  return { ...template, metadata: { name: title, namespace }, spec: { host: first.name, trafficPolicy } };
}

/** Istio, too, checks no name that it is not told. */
function tlsOf({ tls, host }: MeshHost): { tls?: object } {
  if (!tls) return {};
  // RFC 6066 §3: no addresses in SNI
  return { tls: { mode: 'SIMPLE', ...(isIP(host) === 0 && { sni: host }), subjectAltNames: [host] } };
}

/**
 * The hosts that requests come for: the clients', and those that the module writes into a request for a server, since
 * Envoy looks for the route once more then. Each in full: a wildcard would match on the gateway's own port alone.
 */
function hostNames(plugin: Plugin, found: readonly MeshServer[]): string[] {
  const clients = Array.isArray(plugin['hosts']) ? plugin['hosts'].map((host) => nameIn(String(host))) : [];
  if (clients.length === 0) return ['*'];
  const problems: string[] = [];
  const servers = found.map(({ server: { entry, upstream } }, index) => {
    const authority = entry['authority'];
    const name = nameIn(typeof authority === 'string' ? authority : (upstream?.authority ?? entry.name));
    if (isIP(name) === 0 && !name.includes('.'))
      problems.push(`servers[${index}].authority: Istio takes no short name, and ${JSON.stringify(name)} is one`);
    return name;
  });
  refuse(problems);
  return [...new Set([...clients, ...servers])];
}

/** `mcp.example.com:8443`, `[::1]:80` */
function nameIn(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

interface RoutesOf {
  readonly plugin: Plugin;
  readonly found: readonly MeshServer[];
  readonly names: readonly string[];
  readonly options: Options;
}

interface HttpRoute {
  name: string;
  match: object[];
  route?: object[];
}

interface RouteSpec extends Record<string, unknown> {
  servers: { hosts: readonly string[] }[];
  http: HttpRoute[];
}

/** Listener and routes: one for each server, by the header that the module sets, and behind them the default-deny route. */
function routes({ plugin, found, names, options: { namespace, selector } }: RoutesOf): Resource[] {
  const [gateway, virtualService] = shippedResources<RouteSpec>('gateway.yaml', 'envoy/istio');
  const first = virtualService?.spec.http.find(({ route }) => route !== undefined);
  const deny = virtualService?.spec.http.find(({ route }) => route === undefined);
  if (gateway === undefined || virtualService === undefined || first === undefined || deny === undefined)
    throw new Error('gateway.yaml has no Gateway, no VirtualService, or no routes');
  const metadata = { ...gateway.metadata, namespace };
  const endpoint = endpointOf(plugin);
  const http = [
    ...found.map(({ server: { entry }, place: { name, port } }) => ({
      ...first,
      name: entry.name,
      match: [{ headers: { 'x-mcp-servername': { exact: entry.name } } }],
      route: [{ destination: { host: name, port: { number: port } } }],
    })),
    { ...deny, match: [{ uri: { exact: endpoint } }, { uri: { prefix: `${endpoint}/` } }] },
  ];
  const servers = gateway.spec.servers.map((server) => ({ ...server, hosts: names }));
  return [
    { ...gateway, metadata, spec: { ...gateway.spec, selector: labelsOf({ selector }), servers } },
    { ...virtualService, metadata, spec: { ...virtualService.spec, hosts: names, http } },
  ];
}

interface LimitsSpec extends Record<string, unknown> {
  configPatches: { applyTo: string; patch: { value: unknown } }[];
}

function limits(plugin: Plugin, { namespace, selector }: Options): Resource {
  const [template] = shippedResources<LimitsSpec>('envoyfilter-limits.yaml', 'envoy/istio');
  const valueOf = (wanted: string): unknown =>
    template?.spec.configPatches.find(({ applyTo }) => applyTo === wanted)?.patch.value;
  const manager = valueOf('NETWORK_FILTER') as { typed_config: Windows } | undefined;
  const listener = valueOf('LISTENER') as Buffers | undefined;
  if (template === undefined || manager === undefined || listener === undefined)
    throw new Error('envoyfilter-limits.yaml has no NETWORK_FILTER, or no LISTENER');
  fitBuffers(listener, manager.typed_config, (plugin['limits'] as { heldBody?: unknown } | undefined)?.heldBody);
  return {
    ...template,
    metadata: { ...template.metadata, namespace },
    spec: { ...template.spec, workloadSelector: { labels: labelsOf({ selector }) } },
  };
}
