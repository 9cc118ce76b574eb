import { readDocument } from '../../../envoy/yaml/document.ts';
import type { Node } from '../../../envoy/yaml/node.ts';
import { pathText } from '../../../envoy/yaml/place.ts';
import { type LeftOuts, placeOf } from '../left-out.ts';
import type { Resource } from '../resources.ts';

/** The member of the ConfigMap `higress-config` that holds YAML in a text. */
const member = 'higress';

/** What is not needed here, or is said elsewhere. */
const advice: Readonly<Record<string, string>> = {
  redis: 'nothing is kept outside of Envoy here: sessions are in their ids',
  sse_path_suffix:
    'a client of HTTP+SSE opens the path itself, and reaches a server of HTTP+SSE alone; others speak Streamable HTTP',
  rate_limit: 'see quotas: { per: [subject, server], requests: …, interval: … }',
  enable_user_level_server: 'a configuration for each user is not there; credentials of users are passed through',
};

/**
 * Says what becomes of `mcpServer` in the ConfigMap of Higress: it has no server that could be taken over, but the paths
 * at which clients find them.
 * @param endpoint under which they are from now on, `/mcp/higress`
 */
export function leaveOutConfigMaps(maps: readonly Resource[], endpoint: string, leftOut: LeftOuts): void {
  for (const map of maps) {
    const text = map.node.get('data', member);
    const settings = text.text === undefined ? undefined : innerOf(text)?.get('mcpServer');
    if (settings?.isObject !== true) {
      leftOut.at(map.node, `the ConfigMap ${map.name} has no data.${member} with mcpServer`);
      continue;
    }
    const say = (node: Node, why: string): void => {
      leftOut.add(`${placeOf(text)}: ${pathText(node.path)}`, why);
    };
    if (settings.get('enable').value === false) say(settings.get('enable'), 'MCP is off there');
    for (const [name, node] of settings.entries) {
      const why = advice[name];
      if (why !== undefined && node.value !== false) say(node, why);
    }
    for (const rule of settings.get('match_list').items) sayOfRule(rule, endpoint, say);
    for (const server of settings.get('servers').items) sayOfServer(server, say);
  }
}

type Say = (node: Node, why: string) => void;

function sayOfRule(rule: Node, endpoint: string, say: Say): void {
  const path = rule.get('match_rule_path').text ?? '';
  const type = rule.get('match_rule_type').text ?? 'exact';
  say(rule, `${path} (${type}) is ${endpoint}/<server> from now on: clients need the new URL`);
  const domain = rule.get('match_rule_domain').text ?? '*';
  if (domain !== '*' && domain !== '') say(rule.get('match_rule_domain'), `hosts: [${domain}] is for all servers here`);
  const upstream = rule.get('upstream_type').text ?? 'rest';
  if (upstream !== 'rest') {
    const server = `{ name: …, url: …${upstream === 'sse' ? ", protocol: '2024-11-05'" : ''} }`;
    say(rule.get('upstream_type'), `the route behind it leads to a server of MCP: add it to servers, ${server}`);
  }
  if (rule.get('enable_path_rewrite').isTrue) {
    say(rule.get('path_rewrite_prefix'), 'the path of a server is that of its url here');
  }
}

function sayOfServer(server: Node, say: Say): void {
  const type = server.get('type').text ?? '';
  if (type === 'nacos-mcp-registry') {
    const address = server.get('config', 'serverAddr').text;
    say(server, `follow it instead: sluice serve --nacos http://${address ?? 'NACOS'}:8848`);
  } else say(server, `a server of type ${type} is code of Higress, and is not there: run one of MCP, and name its url`);
}

function innerOf(text: Node): Node | undefined {
  return readDocument(text.document.file, Buffer.from(text.text ?? '')).document?.root;
}
