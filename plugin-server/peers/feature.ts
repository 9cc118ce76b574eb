import type { Feature } from '../feature.ts';
import type { PeerSync } from './peer-sync.ts';

/** What keeps the store in step with other servers, as others see it. */
export function peersFeature(sync: PeerSync): Feature {
  return {
    name: 'peers',
    readiness: () => ({ ready: sync.ready, peers: sync.states() }),
    metrics: (metrics) => {
      metrics.labelledGauge(
        'sluice_peer_in_step',
        '1 if the last look at the peer found or brought all it has',
        'peer',
        () => sync.states().map(({ url, error, conflicts }) => [url, Number(error === null && conflicts.length === 0)]),
      );
      metrics.labelledGauge('sluice_peer_conflicts', 'Versions that the peer has with other bytes', 'peer', () =>
        sync.states().map(({ url, conflicts }) => [url, conflicts.length]),
      );
    },
  };
}
