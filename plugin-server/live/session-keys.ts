import type { Problem } from '../../envoy/check/problem.ts';
import { listOf } from './catalog-use.ts';

/** An entry of `sessions.keys`. The first one seals, all of them open. */
export interface SessionKey {
  readonly id: number;
  /** The variable that holds it. */
  readonly env: string;
}

/** The keys that a plugin configuration names; none where each Envoy makes its own. */
export function sessionKeysOf({ sessions }: { readonly sessions?: unknown }): SessionKey[] {
  const { keys } = (sessions ?? {}) as { keys?: unknown };
  return listOf(keys).flatMap((key) => {
    const { id, env } = (key ?? {}) as { id?: unknown; env?: unknown };
    return typeof id === 'number' && typeof env === 'string' ? [{ id, env }] : [];
  });
}

/**
 * What an edit of the keys ends, where it takes two steps of docs/configuration.md at once: Envoys do not have a version at
 * the same moment.
 * @param before the keys of the version that is given out
 */
export function keyChanges(before: readonly SessionKey[], after: readonly SessionKey[]): Problem[] {
  const [sealed] = before;
  const [seals] = after;
  if (sealed === undefined || seals === undefined) return [];
  const changes: Problem[] = [];
  const tell = (path: string, message: string): void => {
    changes.push({ path: `sessions.keys${path}`, message, severity: 'warning' });
  };
  if (!before.some(({ id }) => id === seals.id)) {
    tell(
      '[0]',
      `the key ${seals.id} is new and seals at once: a gateway that has the version before refuses such sessions; put a new key last first, and to the front when every node is current`,
    );
  }
  if (!after.some(({ id }) => id === sealed.id)) {
    tell(
      '',
      `the key ${sealed.id} sealed up to now, and is gone: all sessions that it sealed end; keep it behind the new one until they have expired (sessions.ttl)`,
    );
  }
  for (const [index, { id, env }] of after.entries()) {
    const other = before.find((key) => key.id === id);
    if (other === undefined || other.env === env) continue;
    tell(
      `[${index}]`,
      `the key ${id} is ${env} now, and was ${other.env}: unless both hold the same, its sessions end; a new key needs an id of its own`,
    );
  }
  return changes;
}
