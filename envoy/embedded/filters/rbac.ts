import type { Message } from '../config/message.ts';
import type { HeaderMatch } from '../config/route.ts';
import { readHeaderMatch } from '../config/routes.ts';
import { type FilterFactory, HeadersStatus } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';
import { matchesHeader } from '../routing/match.ts';

interface Policy {
  readonly name: string;
  readonly permissions: readonly (HeaderMatch | 'any')[];
}

/** envoy.filters.http.rbac, as far as headers go. */
export function readRbac(message: Message): FilterFactory {
  const { action, policies } = message.message('rules', (rules) => ({
    action: rules.choice('action', ['ALLOW', 'DENY'], 'ALLOW'),
    policies: rules.map('policies', readPolicy),
  }));
  const named = Object.entries(policies).map(([name, permissions]): Policy => ({ name, permissions }));
  return (callbacks) => ({
    decodeHeaders: (headers) => {
      const policy = named.find((candidate) => fits(candidate, headers));
      if ((policy !== undefined) === (action === 'ALLOW')) return HeadersStatus.Continue;
      const matched = policy?.name ?? 'none';
      callbacks.sendLocalReply({
        status: 403,
        body: 'RBAC: access denied',
        details: `rbac_access_denied_matched_policy[${matched}]`,
      });
      return HeadersStatus.StopIteration;
    },
  });
}

function fits({ permissions }: Policy, headers: HeaderMap): boolean {
  return permissions.some((permission) => permission === 'any' || matchesHeader(permission, headers));
}

function readPolicy(policy: Message): (HeaderMatch | 'any')[] {
  policy.messages('principals', (principal) => {
    if (!principal.flag('any')) principal.problem('any', 'the embedded engine has no other principal');
  });
  return policy.messages('permissions', (permission) =>
    permission.flag('any') ? 'any' : permission.message('header', readHeaderMatch),
  );
}
