import type { Feature } from '../feature.ts';
import type { Metrics } from '../metrics.ts';
import { liveErrors } from './errors.ts';
import type { DeliveredGateway } from './gateway.ts';
import type { Live } from './live.ts';
import { livePaths } from './openapi.ts';
import { liveRoutes } from './routes.ts';
import type { GatewayStatus } from './status.ts';

/** Live delivery, as others see it. */
export function liveFeature(live: Live): Feature {
  return {
    name: 'gateways',
    routes: (app) => {
      liveRoutes(app, live);
    },
    // A refused edit makes the server no less ready: nodes have the version before it, and a restart would not help. One
    // that has nothing to give out to anybody is of no use to a node.
    readiness: () => ({
      ready: live.directory.all().some(({ active }) => active !== undefined),
      count: live.directory.all().length,
      problems: live.problems(),
    }),
    metrics: (metrics) => {
      addMetrics(live, metrics);
    },
    openapi: livePaths,
    errors: liveErrors,
    // A poll is a response under way for as long as it is kept waiting.
    close: () => live.close(),
  };
}

function addMetrics(live: Live, metrics: Metrics): void {
  const gauge = (
    name: string,
    help: string,
    value: (gateway: DeliveredGateway, status: () => GatewayStatus) => number,
  ): void => {
    metrics.labelledGauge(name, help, 'gateway', () =>
      live.directory.all().map((gateway) => [gateway.name, value(gateway, () => live.statusOf(gateway))]),
    );
  };
  gauge(
    'sluice_gateway_generation',
    'The version that is given out, 0 for none',
    ({ active }) => active?.kept.generation ?? 0,
  );
  gauge('sluice_gateway_edit_refused', '1 if the last edit was refused', ({ refusal }) =>
    Number(refusal !== undefined),
  );
  gauge('sluice_gateway_rolled_back', '1 if a rollback keeps the file from being taken', (gateway) =>
    Number(gateway.rolledBack),
  );
  const nodes = (state: string, help: string): void => {
    gauge(
      `sluice_gateway_nodes_${state}`,
      help,
      (_, status) => status().nodes.filter((node) => node.state === state).length,
    );
  };
  nodes('current', 'Nodes that have the version that is given out');
  nodes('behind', 'Nodes that do not have it yet');
  nodes('waits', 'Nodes that cannot be given it; GET /gateways says why');
  nodes('refuses', 'Nodes that were given it and do not apply it');
  metrics.gauge('sluice_polls_waiting', 'Polls that are kept waiting for something new', () => live.delivery.waiting);
}
