import type { Node } from '../yaml/node.ts';
import type { Report } from './finding.ts';

/**
 * Rules of authorization on what tools say of themselves. `root` is a plugin configuration. Without anybody who vouches
 * for a server's words, a rule that allows by them lets nobody use anything, and one that denies can be evaded.
 */
export function checkAnnotations(root: Node, report: Report): void {
  // Which tools are pinned is known, and which of a server's are not is not.
  if (root.get('pins').isThere) return;
  const untrusted = root
    .get('servers')
    .items.filter((server) => !server.get('trusted').isTrue)
    .flatMap((server) => server.get('name').text ?? []);
  for (const rule of root.get('authorization', 'rules').items) {
    const annotations = rule.get('annotations');
    if (!annotations.isThere) continue;
    const named = rule.get('servers');
    const about = named.isThere ? named.items.flatMap((item) => item.text ?? []) : undefined;
    const found = untrusted.filter((name) => about?.includes(name) ?? true);
    if (found.length === 0) continue;
    const shown = found.length > 3 ? `${found.slice(0, 3).join(', ')} and ${found.length - 3} more` : found.join(', ');
    const effect = rule.get('effect').text ?? 'allow';
    const what =
      effect === 'allow'
        ? 'lets nobody use tools of servers that nobody vouches for'
        : 'can be evaded by servers that nobody vouches for';
    report('annotations', annotations, `${what}: ${shown}`);
  }
}
