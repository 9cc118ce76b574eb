import { pluginServerCluster } from '../bootstrap.ts';
import { parseUpstream } from '../upstream.ts';
import { checkAdvice } from './advice.ts';
import { type Report, didYouMean } from './finding.ts';
import type { Plugin } from './gateway.ts';
import { Node } from './node.ts';

/**
 * Reads a plugin configuration as people write it, for `sluice start --config` and for live delivery: servers may have
 * `url` in place of `cluster`, and `module` says which module is meant.
 * @returns what the module is to judge
 */
export function checkConfiguration(root: Node, report: Report): Plugin {
  checkModule(root.get('module'), report);
  checkAdvice({ root }, report);
  const { servers, ...rest } = without('module', root);
  const list = root.get('servers');
  const isList = Array.isArray(servers);
  const value = {
    ...rest,
    ...(servers !== undefined && {
      servers: isList ? list.items.map((server) => readServer(server, report)) : servers,
    }),
  };
  const asModule = new Node(value, root.path, root.document);
  return { root: asModule, text: JSON.stringify(value) };
}

/** A server as the module knows it. */
function readServer(server: Node, report: Report): unknown {
  const url = server.get('url');
  if (!server.isObject || !url.isThere) return server.value;
  const members = without('url', server);
  const name = server.get('name');
  if (name.text === pluginServerCluster) report('plugin', name, `${name.text} is the cluster of the plugin server`);
  if (server.get('cluster').isThere) report('plugin', url, 'excludes cluster: one of them says where the server is');
  const made = { cluster: name.value ?? 'unnamed', path: '/mcp' };
  if (url.text === undefined) {
    report('plugin', url, 'must be the URL of the server, such as http://127.0.0.1:3001/mcp');
    return { ...made, ...members };
  }
  try {
    const { authority, path } = parseUpstream(url.text);
    return { ...made, authority, path, ...members };
  } catch (error) {
    report('plugin', url, (error as Error).message);
    return { ...made, ...members };
  }
}

function without(name: string, node: Node): Record<string, unknown> {
  return Object.fromEntries(Object.entries(node.value as object).filter(([member]) => member !== name));
}

const moduleMembers = ['name', 'version'];

/** Of live delivery: which module the plugin server sends along. Which of them there are, it knows itself. */
function checkModule(module: Node, report: Report): void {
  if (!module.isThere) return;
  if (!module.isObject) {
    report('plugin', module, 'must be an object like { name: sluice, version: ^0.1 }');
    return;
  }
  for (const [name, member] of module.entries) {
    if (!moduleMembers.includes(name)) {
      report('plugin', member, `is not a member of this section${didYouMean(name, moduleMembers)}`);
    } else if (member.text === undefined) report('plugin', member, 'must be a string');
  }
}
