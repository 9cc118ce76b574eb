import type { Node } from '../../../envoy/yaml/node.ts';
import type { LeftOuts } from '../left-out.ts';
import type { Resource } from '../resources.ts';

/** One configuration of the plugin `mcp-server`, and whom it is for. */
export interface PluginConfig {
  /** With `server` and `tools`, or `toolSet`. */
  readonly config: Node;
  /** Services of a McpBridge, and Ingresses, that it is for; empty where it says none. */
  readonly services: readonly string[];
  readonly ingresses: readonly string[];
}

/** Members of `matchRules`, and what they are called in the plugin's own `_rules_`. */
const matches = {
  ingress: ['ingress', '_match_route_'],
  service: ['service', '_match_service_'],
  domain: ['domain', '_match_domain_'],
  prefix: ['_match_route_prefix_'],
} as const;

/** The configurations of WasmPlugins: `defaultConfig` and those of `matchRules`. Other plugins are left out. */
export function configsOf(plugins: readonly Resource[], leftOut: LeftOuts): PluginConfig[] {
  return plugins.flatMap(({ node, name }) => {
    const spec = node.get('spec');
    const found = [
      ...(spec.get('defaultConfigDisable').isTrue ? [] : configsIn(spec.get('defaultConfig'), leftOut)),
      ...spec
        .get('matchRules')
        .items.flatMap((rule) =>
          rule.get('configDisable').isTrue
            ? []
            : configsIn(rule.get('config'), leftOut).map((each) => withMatches(each, rule, leftOut)),
        ),
    ];
    if (found.length === 0) leftOut.at(node, `the plugin ${name} has no server of MCP: it is no mcp-server, or off`);
    return found;
  });
}

/** A configuration as the plugin gets it: an object with `server` or `toolSet`, and `_rules_` with further ones. */
export function configsIn(root: Node, leftOut: LeftOuts): PluginConfig[] {
  const own = isServer(root) ? [{ config: root, services: [], ingresses: [] }] : [];
  const rules = root.get('_rules_').items.filter(isServer);
  return [...own, ...rules.map((rule) => withMatches({ config: rule, services: [], ingresses: [] }, rule, leftOut))];
}

function isServer(config: Node): boolean {
  return config.get('server').isObject || config.get('toolSet').isObject;
}

function withMatches(each: PluginConfig, rule: Node, leftOut: LeftOuts): PluginConfig {
  const texts = (members: readonly string[]): string[] =>
    members.flatMap((member) => rule.get(member).items.flatMap(({ text }) => text ?? []));
  for (const member of [...matches.domain, ...matches.prefix]) {
    if (rule.get(member).isThere) leftOut.at(rule.get(member), 'a server is found by its path here, for every host');
  }
  return {
    config: each.config,
    services: [...each.services, ...texts(matches.service)],
    ingresses: [...each.ingresses, ...texts(matches.ingress)],
  };
}
