// What the router answers in an upstream's stead: one row for each cause. (envoy: router/router.cc)
import type { LocalReply } from '../filter.ts';
import type { ResetReason } from './exchange.ts';

export const timeoutBody = 'upstream request timeout';

export const routerReplies = {
  noRoute: { status: 404, body: '', details: 'route_not_found', flag: 'NR' },
  noCluster: { status: 503, body: '', details: 'cluster_not_found', flag: 'NC' },
  noHost: { status: 503, body: 'no healthy upstream', details: 'no_healthy_upstream', flag: 'UH' },
  maintenance: { status: 503, body: 'maintenance mode', details: 'maintenance_mode', flag: 'UO' },
  timeout: { status: 504, body: timeoutBody, details: 'response_timeout', flag: 'UT' },
  perTryTimeout: { status: 504, body: timeoutBody, details: 'upstream_per_try_timeout', flag: 'UT' },
  perTryIdleTimeout: { status: 504, body: timeoutBody, details: 'upstream_per_try_idle_timeout', flag: 'UT' },
  clusterDuration: {
    status: 408,
    body: 'upstream max stream duration reached',
    details: 'upstream_max_stream_duration_reached',
    flag: 'UMSDR',
  },
} as const satisfies Readonly<Record<string, LocalReply>>;

const flags: Readonly<Record<ResetReason, string>> = {
  'remote connection failure': 'UF',
  'connection timeout': 'UF',
  'connection termination': 'UC',
  'remote reset': 'UR',
  'remote refused stream reset': 'UR',
  'protocol error': 'UPE',
  overflow: 'UO',
};

/** An upstream that broke off before it had answered. */
export function routerReplyTo(reason: ResetReason): LocalReply {
  return {
    status: reason === 'protocol error' ? 502 : 503,
    body: `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`,
    details: `upstream_reset_before_response_started{${reason.replaceAll(' ', '_')}}`,
    flag: flags[reason],
  };
}
