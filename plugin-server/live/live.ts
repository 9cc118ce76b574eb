import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Readiness } from '../readiness.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { Access, type AccessOptions } from './access.ts';
import { Delivery } from './delivery.ts';
import { GatewayDirectory } from './directory.ts';
import type { Gateway } from './gateway.ts';
import { PollReader } from './poll.ts';
import { Rejections } from './rejections.ts';
import { type GatewayStatus, gatewayStatus } from './status.ts';
import { toldTo } from './tell.ts';

export interface LiveOptions extends AccessOptions {
  /** `<gateways>/<node cluster>/sluice.yaml` */
  readonly gateways: string;
  /** Where the versions of every gateway are kept. */
  readonly state: string;
  /** The modules that gateways are given. */
  readonly store: ArtifactStore;
  readonly log: Log;
}

/** Live delivery: the directory, and what is given out of it. */
export interface Live {
  readonly directory: GatewayDirectory;
  readonly delivery: Delivery;
  readonly access: Access;
  readonly reader: PollReader;
  readonly rejections: Rejections;
  readonly log: Log;
  statusOf(gateway: Gateway): GatewayStatus;
  /** What is wrong, a line for each: what is given out works all the same. */
  problems(): string[];
  close(): Promise<void>;
}

/**
 * Reads and checks every gateway, and watches them from then on.
 * @throws PluginServerError `gateways_unreadable`, `state_unwritable`
 */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { log, tokensRequired } = options;
  const delivery = new Delivery((event) => {
    const { node, gateway, ...rest } = event;
    log.error({ gateway, node, ...rest }, `gateway ${gateway}: the node ${node} refuses version ${event.version}`);
  });
  const directory = new GatewayDirectory({
    directory: options.gateways,
    ...options,
    tell: (gateway, event) => {
      delivery.wake(gateway.name);
      toldTo(log, gateway, event);
    },
    complain: (complaint) => {
      if (complaint === undefined) log.info({}, 'the directory of the gateways is readable again');
      else log.error({}, complaint);
    },
    forget: (name) => {
      delivery.forget(name);
      log.warn({ gateway: name }, `gateway ${name}: its directory is gone; its nodes keep what they have`);
    },
  });
  await directory.open();
  return {
    directory,
    delivery,
    access: new Access(directory, options),
    reader: new PollReader(),
    rejections: new Rejections(),
    log,
    statusOf: (gateway) => gatewayStatus(gateway, delivery.nodesOf(gateway.name).all(Date.now())),
    problems: () => {
      const { complaint } = directory;
      const lines = directory.all().flatMap((gateway) => problemsOf(gateway, tokensRequired));
      return complaint === undefined ? lines : [complaint, ...lines];
    },
    close: async () => {
      delivery.close();
      await directory.close();
    },
  };
}

function problemsOf({ name, refusal, active, tokens }: Gateway, tokensRequired: boolean): string[] {
  const stays = active === undefined ? 'nothing is given out' : `version ${active.kept.generation} stays`;
  const lines: string[] = [];
  if (refusal !== undefined) lines.push(`${name}: the last edit was refused, ${stays}`);
  if (tokens.problems.length > 0) lines.push(`${name}: its token file cannot be used`);
  else if (tokens.digests === undefined && tokensRequired) {
    lines.push(`${name}: it has no token file, so none of its nodes may poll`);
  }
  return lines;
}

/** Shows live delivery in `/readyz` and `/metrics`. */
export function watchLive(live: Live, readiness: Readiness, metrics: Metrics): void {
  // A refused edit makes the server no less ready: nodes have the version before it, and a restart would not help. One
  // that has nothing to give out to anybody is of no use to a node.
  readiness.add('gateways', () => ({
    ready: live.directory.all().some(({ active }) => active !== undefined),
    count: live.directory.all().length,
    problems: live.problems(),
  }));
  const gauge = (
    name: string,
    help: string,
    value: (gateway: Gateway, status: () => GatewayStatus) => number,
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
