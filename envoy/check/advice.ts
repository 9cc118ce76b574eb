import type { Report } from './finding.ts';
import type { Plugin } from './gateway.ts';

/** What the module accepts, and an operator should know all the same. */
export function checkAdvice({ root }: Pick<Plugin, 'root'>, report: Report): void {
  const keys = root.get('sessions', 'keys');
  if (keys.items.length === 0)
    report('session-keys', keys.isThere ? keys : root.get('sessions'), 'there is no key for sessions');
}
