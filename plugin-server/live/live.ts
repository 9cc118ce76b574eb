import { join } from 'node:path';
import type { Log } from '../log.ts';
import type { Catalogs } from '../catalog/catalogs.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { Access, type AccessOptions } from './access.ts';
import { Delivery } from './delivery.ts';
import { GatewayDirectory } from './directory.ts';
import type { DeliveredGateway } from './gateway.ts';
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
  /** What gateways may name in `catalog`. */
  readonly catalogs?: Catalogs | undefined;
  readonly log: Log;
  /** Milliseconds for which the clusters of an earlier version stay, see `Given`; by default a minute. */
  readonly drainTime?: number;
}

const usualDrainTime = 60_000;

/** Live delivery: the directory, and what is given out of it. */
export interface Live {
  readonly directory: GatewayDirectory;
  readonly delivery: Delivery;
  readonly access: Access;
  /** Who may look at it all, and roll back. */
  readonly operators: AccessOptions;
  readonly reader: PollReader;
  readonly rejections: Rejections;
  readonly log: Log;
  statusOf(gateway: DeliveredGateway): GatewayStatus;
  /** The directory of a gateway. */
  folderOf(gateway: string): string;
  /** Whether a token is one of a gateway that has this catalog. @param digest SHA-256 */
  isCatalogReader(digest: Buffer, namespace: string): boolean;
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
  }, options.drainTime ?? usualDrainTime);
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
    operators: options,
    reader: new PollReader(),
    rejections: new Rejections(),
    log,
    statusOf: (gateway) => gatewayStatus(gateway, delivery.nodesOf(gateway.name).all(Date.now())),
    folderOf: (gateway) => join(options.gateways, gateway),
    isCatalogReader: (digest, namespace) =>
      [...directory.tokens.owners(digest)].some(({ namespaces }) => namespaces.includes(namespace)),
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

function problemsOf(
  { name, refusal, active, tokens, catalogProblems }: DeliveredGateway,
  tokensRequired: boolean,
): string[] {
  const stays = active === undefined ? 'nothing is given out' : `version ${active.kept.generation} stays`;
  const lines: string[] = [];
  if (refusal !== undefined) lines.push(`${name}: the last edit was refused, ${stays}`);
  const left = catalogProblems.filter(({ severity }) => severity === 'error').length;
  if (left > 0)
    lines.push(`${name}: its catalogs are taken but for ${left === 1 ? 'one thing' : `${left} things`} that is wrong`);
  if (tokens.problems.length > 0) lines.push(`${name}: its token file cannot be used`);
  else if (tokens.digests === undefined && tokensRequired) {
    lines.push(`${name}: it has no token file, so none of its nodes may poll`);
  }
  return lines;
}
