// What the files of envoy/istio/ have to agree in: with each other, with envoy.yaml, with the module and this version.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Bootstrap, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { checkConfiguration } from '../../envoy/engine/check.ts';
import { processIo } from '../../cli/io.ts';
import { serve } from '../../cli/serve/command.ts';
import { clone, describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import {
  type PluginConfig,
  type WasmPluginSpec,
  heldFilter,
  meshConfig,
  resourceFiles,
  resourcesOf,
  specOf,
} from './documents.ts';

const shipped = parse(readFileSync(join(clone, 'envoy/envoy.yaml'), 'utf8')) as Bootstrap;
const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
const module = join(clone, 'build/plugin.wasm');

const decider = specOf('wasmplugin.yaml', 'WasmPlugin', 'sluice');
const holder = specOf('wasmplugin.yaml', 'WasmPlugin', 'sluice-holder');
const held = heldFilter(specOf('envoyfilter-hold.yaml', 'EnvoyFilter', 'sluice-hold'));
const limits = specOf('envoyfilter-limits.yaml', 'EnvoyFilter', 'sluice-limits');
const gateway = specOf('gateway.yaml', 'Gateway', 'mcp');
const routes = specOf('gateway.yaml', 'VirtualService', 'mcp');

const configurations: readonly (readonly [string, PluginConfig])[] = [
  ['wasmplugin.yaml', decider.pluginConfig],
  ['envoyfilter-hold.yaml', held.configuration.value],
];

describe('the module', () => {
  const digest = createHash('sha256').update(readFileSync(module)).digest('hex');
  const path = `/plugins/sluice/${version}/plugin.wasm`;

  test.each([
    ['the decider', decider.url, decider.sha256],
    ['the holder', holder.url, holder.sha256],
    ['the EnvoyFilter', held.vm_config.code.remote.http_uri.uri, held.vm_config.code.remote.sha256],
  ])('that %s names is the one of this version', (_, url, sha256) => {
    expect(new URL(url).pathname).toBe(path);
    expect(sha256).toBe(digest);
  });

  test('has its digest in the vm_id as well', () => {
    expect(held.vm_config.vm_id).toBe(`sluice-${digest}`);
  });
});

describe('the pair', () => {
  test('is one VM: equal in all but name, place and configuration', () => {
    const common = (spec: WasmPluginSpec): object => ({ ...spec, priority: 0, pluginName: '', pluginConfig: {} });
    expect(common(holder)).toEqual(common(decider));
  });

  test('has the decider before the holder, and their roles by their names', () => {
    expect(decider.priority).toBeGreaterThan(holder.priority);
    expect([decider.pluginName, holder.pluginName]).toEqual(['sluice', 'sluice-holder']);
    const { endpoint, hostMode } = decider.pluginConfig;
    expect(hostMode).toBe('pair');
    expect(holder.pluginConfig).toEqual({ endpoint, hostMode });
  });

  test('differs from the one filter in the host mode only', () => {
    expect({ ...decider.pluginConfig, hostMode: 'hold' }).toEqual(held.configuration.value);
  });

  test('is given the variables that the configuration names', () => {
    expect(decider['vmConfig']).toEqual({ env: [{ name: 'SLUICE_KEY_1', valueFrom: 'HOST' }] });
    expect(held.vm_config.environment_variables.host_env_keys).toEqual(['SLUICE_KEY_1']);
  });
});

describe('the routes', () => {
  const servers = routes.http.filter(({ route }) => route !== undefined);
  const [defaultDeny, ...others] = routes.http.filter(({ route }) => route === undefined);

  test.each(configurations)('are those of the servers in %s', (_, { servers: configured }) => {
    expect(
      servers.map(({ name, match, route }) => ({ name, match, destination: route?.map((to) => to.destination) })),
    ).toEqual(
      configured.map(({ name, cluster }) => {
        const [, port, , host] = cluster.split('|');
        const match = [{ headers: { 'x-mcp-servername': { exact: name } } }];
        return { name, match, destination: [{ host, port: { number: Number(port) } }] };
      }),
    );
  });

  test('repeat nothing that a server may have seen, and end no stream by its age', () => {
    for (const { retries, timeout } of servers) {
      expect(retries).toEqual({ attempts: 2, retryOn: 'connect-failure,refused-stream' });
      expect(timeout).toBeUndefined(); // Istio's words for 0s
    }
  });

  test('end at the default-deny route of envoy.yaml, to the byte', () => {
    const [host] = shipped.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config
      .virtual_hosts as unknown as [
      { routes: { direct_response?: { status: number; body: { inline_string: string } } }[] },
    ];
    const { status, body } = host.routes.at(-1)?.direct_response ?? {};
    expect(defaultDeny?.directResponse).toEqual({ status, body: { string: body?.inline_string } });
    expect(defaultDeny?.headers?.response.set).toEqual({ 'content-type': 'application/json' });
    expect(others).toEqual([]);
    expect(routes.http.at(-1)).toBe(defaultDeny);
  });

  test.each(configurations)('close the endpoint of %s and what is below it', (_, { endpoint }) => {
    expect(defaultDeny?.match).toEqual([{ uri: { exact: endpoint } }, { uri: { prefix: `${String(endpoint)}/` } }]);
  });

  test.each(configurations)(
    'are found under every host that %s lets the module write',
    (_, { hosts, servers: all }) => {
      const authorities = all.map(({ authority }) => authority.replace(/:\d+$/, ''));
      for (const host of [...hosts, ...authorities]) {
        for (const list of [routes.hosts, ...gateway.servers.map((server) => server.hosts)]) {
          const matches = (pattern: string): boolean =>
            pattern === host || (pattern.startsWith('*') && host.endsWith(pattern.slice(1)));
          expect(list.some(matches), `${host} in ${list.join(', ')}`).toBe(true);
        }
      }
    },
  );

  test('have a DestinationRule for each of their servers', () => {
    const rules = resourcesOf('destinationrules.yaml').map(({ spec }) => spec['host']);
    expect(rules).toEqual(servers.flatMap(({ route = [] }) => route.map(({ destination }) => destination.host)));
  });
});

describe('the limits', () => {
  const [listener] = shipped.static_resources.listeners;
  const own = listener.filter_chains[0].filters[0].typed_config as unknown as Record<string, unknown>;
  const [connections, listeners] = limits.configPatches.map(({ patch }) => patch.value);
  const { '@type': type, ...members } = (connections as { typed_config: Record<string, unknown> }).typed_config;

  test('are those of envoy.yaml', () => {
    expect(type).toBe(own['@type']);
    // One number for all streams: Istio has no idle timeout for a route.
    expect(own).toMatchObject({ ...members, stream_idle_timeout: own['stream_idle_timeout'] });
    expect(members['stream_idle_timeout']).toBe('600s');
    expect(listener).toMatchObject(listeners as object);
  });

  test('are kept out of the mesh: its access log is that of envoy.yaml', () => {
    const [provider] = meshConfig()['extensionProviders'] as [
      { name: string; envoyFileAccessLog: { logFormat: { labels: object } } },
    ];
    const [log] = own['access_log'] as [{ typed_config: { log_format: { json_format: object } } }];
    expect(provider.envoyFileAccessLog.logFormat.labels).toEqual(log.typed_config.log_format.json_format);
    const telemetry = specOf('telemetry.yaml', 'Telemetry', 'mcp');
    expect(telemetry['accessLogging']).toEqual([{ providers: [{ name: provider.name }] }]);
  });
});

test('all resources are for one gateway, in its namespace', () => {
  for (const { kind, metadata, spec } of resourceFiles.flatMap((file) => resourcesOf(file))) {
    expect(metadata.namespace).toBe('istio-ingress');
    const labels = { istio: 'ingressgateway' };
    if (kind === 'Gateway') expect(spec['selector']).toEqual(labels);
    if (kind === 'EnvoyFilter') expect(spec['workloadSelector']).toEqual({ labels });
    if (kind === 'WasmPlugin' || kind === 'Telemetry') expect(spec['selector']).toEqual({ matchLabels: labels });
  }
});

describe('docs/istio.md', () => {
  const text = readFileSync(join(clone, 'docs/istio.md'), 'utf8');
  const applied = [...text.matchAll(/^(?:kubectl apply|helm upgrade) .*-f envoy\/istio\/(\S+)$/gm)].map(
    ([, file]) => file,
  );

  test('names every file, and none that does not exist', () => {
    const rows = [...text.matchAll(/^\| `([\w-]+\.yaml)`/gm)].map(([, file = '']) => file);
    expect(rows.sort()).toEqual([...resourceFiles, 'mesh.yaml'].sort());
    for (const [, path = ''] of text.matchAll(/(?:`|-f |\()((?:\.\.\/)?(?:envoy|test|docs)\/[\w./-]+\.\w+)/g)) {
      expect(existsSync(join(clone, path.replace(/^\.\.\//, ''))), path).toBe(true);
    }
  });

  test('applies the pair, all that guards it first, and the routes last', () => {
    const needed = [...resourceFiles, 'mesh.yaml'].filter((file) => file !== 'envoyfilter-hold.yaml');
    expect([...applied].sort()).toEqual(needed.sort());
    expect(applied.at(-1)).toBe('gateway.yaml');
  });

  test('makes a key that the module takes', () => {
    const [, command = ''] = /SLUICE_KEY_1="\$\((.*)\)"$/m.exec(text) ?? [];
    const key = execFileSync('sh', ['-c', command], { encoding: 'utf8' }).trim();
    expect(key).toMatch(/^[\w-]{43}$/);
  });

  test('starts the plugin server as its help says, for every address', async () => {
    let help = '';
    await serve.run(['--help'], { ...processIo, out: (said) => (help += said) });
    const [, option = ''] = /^npx sluice serve --listen (\S+)$/m.exec(text) ?? [];
    expect(help).toContain(`${option} for every address`);
  });
});

/** Istio checks no more of an EnvoyFilter than its frame. */
describeWithEnvoy('a real Envoy', () => {
  const bootstrap = (): Bootstrap =>
    gatewayBootstrap({
      listen: { host: '127.0.0.1', port: 0 },
      admin: { host: '127.0.0.1', port: 0 },
      pluginServerUrl: 'http://127.0.0.1:1',
      servers: [{ name: 'a', url: 'http://127.0.0.1:1/mcp' }],
    });
  const key = { SLUICE_KEY_1: Buffer.alloc(32, 7).toString('base64url') };

  test('accepts the filter of host mode hold, and the module its configuration', async () => {
    const config = bootstrap();
    const [filter] = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
    filter.typed_config.config = held as unknown as typeof filter.typed_config.config;
    await checkConfiguration({ binary: envoyBinary(), config, module, env: key });
  });

  test('accepts what the agent makes of the pair, and the module its configuration', async () => {
    const config = bootstrap();
    const manager = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
    const [template, ...others] = manager.http_filters;
    const filters = [decider, holder].map(({ pluginName, pluginConfig }) => ({
      name: `istio-ingress.${pluginName}`,
      typed_config: {
        ...template.typed_config,
        config: {
          name: `istio-ingress.${pluginName}`,
          root_id: pluginName,
          failure_policy: 'FAIL_RELOAD',
          configuration: {
            '@type': 'type.googleapis.com/google.protobuf.StringValue',
            value: JSON.stringify(pluginConfig),
          },
          vm_config: {
            runtime: 'envoy.wasm.runtime.v8',
            code: { remote: {} }, // a local file: the agent has fetched it
            environment_variables: { host_env_keys: ['SLUICE_KEY_1'] },
          },
        },
      },
    }));
    Object.assign(manager, { http_filters: [...filters, ...others] });
    await checkConfiguration({ binary: envoyBinary(), config, module, env: key });
  });

  test('accepts the limits in the place of its own', async () => {
    const config = bootstrap();
    const [listener] = config.static_resources.listeners;
    for (const { applyTo, patch } of limits.configPatches) {
      if (applyTo === 'LISTENER') Object.assign(listener, patch.value);
      else Object.assign(listener.filter_chains[0].filters[0].typed_config, patch.value['typed_config']);
    }
    await checkConfiguration({ binary: envoyBinary(), config, module });
  });
});
