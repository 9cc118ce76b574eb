import type { Report } from './finding.ts';
import type { Plugin } from './gateway.ts';
import type { Node } from '../yaml/node.ts';
import { checkAnnotations } from './annotations.ts';
import { checkPatterns } from './patterns.ts';
import { checkRestPaths } from './rest-paths.ts';

/** What the module accepts, and an operator should know all the same. */
export function checkAdvice({ root }: Pick<Plugin, 'root'>, report: Report): void {
  const keys = root.get('sessions', 'keys');
  if (keys.items.length === 0)
    report('session-keys', keys.isThere ? keys : root.get('sessions'), 'there is no key for sessions');
  checkRoot(root, report);
  checkAnnotations(root, report);
  checkToolSearch(root, report);
  checkPlaceholder(root.get('publicUrl'), report);
  for (const server of root.get('servers').items) {
    for (const member of ['url', 'cluster', 'authority', 'path']) checkPlaceholder(server.get(member), report);
    checkPatterns(server, report);
    checkRestPaths(server, report);
  }
}

/** A virtual server narrows what its own path serves, not what the endpoint does. */
function checkRoot(root: Node, report: Report): void {
  const serves = root.get('root');
  if (root.get('virtualServers').items.length === 0 || (serves.isThere && serves.text !== 'open')) return;
  const found = serves.isThere ? 'is open' : 'is open by default';
  report(
    'open-root',
    serves,
    `${found}, beside virtual servers: the endpoint itself serves every tool of every server`,
  );
}

/** A REST service has no list that it could be asked for. */
function checkToolSearch(root: Node, report: Report): void {
  const isOn = [root, ...root.get('virtualServers').items].some(
    (each) => each.get('toolSearch', 'enabled').value === true,
  );
  if (!isOn) return;
  for (const server of root.get('servers').items) {
    if (server.get('rest').isThere || server.get('listCache').isThere) continue;
    report('tool-search', server, 'has no listCache, so each search asks it for its list');
  }
}

/** `${HOST}`, `{{ host }}`: what a shell, Helm or envsubst was to put something in for. */
export function checkPlaceholder(member: Node, report: Report): void {
  const [left] = /\$\{[^}]*\}|\{\{[^}]*\}\}|\$\([^)]*\)/.exec(member.text ?? '') ?? [];
  if (left !== undefined) report('placeholder', member, `has ${left.slice(0, 60)} left in it`);
}
