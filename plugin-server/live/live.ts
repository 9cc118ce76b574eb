import { Access } from './access.ts';
import { Delivery, type NodeEvent } from './delivery.ts';
import { GatewayDirectory } from './directory.ts';
import type { GatewayEvent } from './gateway.ts';
import type { ModuleSource } from './modules.ts';
import { PollReader } from './poll.ts';
import { Rejections } from './rejections.ts';
import { type GatewayStatus, gatewayStatus } from './status.ts';

export interface LiveOptions {
  /** `<gateways>/<node cluster>/sluice.yaml` */
  readonly gateways: string;
  /** Where the versions of every gateway are kept. */
  readonly state: string;
  readonly modules: ModuleSource;
  /** Whether every poll needs a token, which it does where the server can be reached from elsewhere. */
  readonly tokensRequired: boolean;
  /** Opens what operators do; without one, only a server on loopback answers them. */
  readonly publishToken?: string | undefined;
  readonly onEvent?: (event: LiveEvent) => void;
}

/** What an operator wants to hear of. */
export type LiveEvent =
  | ({ readonly about: 'gateway'; readonly gateway: string } & GatewayEvent)
  | ({ readonly about: 'node' } & NodeEvent)
  | { readonly about: 'directory'; readonly complaint: string | undefined };

/** Live delivery: the directory, and what is given out of it. */
export interface Live {
  readonly directory: GatewayDirectory;
  readonly delivery: Delivery;
  readonly access: Access;
  readonly reader: PollReader;
  readonly rejections: Rejections;
  /** What is given out, and to whom, by gateway. */
  status(): GatewayStatus[];
  /** What is wrong, a line for each gateway: what is given out works all the same. */
  problems(): string[];
  close(): Promise<void>;
}

/**
 * Reads and checks every gateway, and watches them from then on.
 * @throws PluginServerError `gateways_unreadable`, `state_unwritable`
 */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { gateways, state, modules, tokensRequired, publishToken, onEvent = () => undefined } = options;
  const delivery = new Delivery((event) => {
    onEvent({ about: 'node', ...event });
  });
  const directory = new GatewayDirectory({
    directory: gateways,
    state,
    modules,
    tell: ({ name }, event) => {
      delivery.wake(name);
      onEvent({ about: 'gateway', gateway: name, ...event });
    },
    complain: (complaint) => {
      onEvent({ about: 'directory', complaint });
    },
    forget: (name) => {
      delivery.forget(name);
    },
  });
  await directory.open();
  const status = (): GatewayStatus[] =>
    directory.all().map((gateway) => gatewayStatus(gateway, delivery.nodesOf(gateway.name).all(Date.now())));
  return {
    directory,
    delivery,
    access: new Access(directory, { tokensRequired, publishToken }),
    reader: new PollReader(),
    rejections: new Rejections(),
    status,
    problems: () => [...(directory.complaint === undefined ? [] : [directory.complaint]), ...directory.all().flatMap(problemsOf)],
    close: async () => {
      delivery.close();
      await directory.close();
    },
  };

  function problemsOf(gateway: ReturnType<GatewayDirectory['all']>[number]): string[] {
    const { name, refusal, active, tokens, tokenProblems } = gateway;
    const stays = active === undefined ? 'nothing is given out' : `version ${active.kept.generation} stays`;
    const lines: string[] = [];
    if (refusal !== undefined) lines.push(`${name}: the last edit was refused, ${stays}`);
    if (tokenProblems.length > 0) lines.push(`${name}: its token file is wrong`);
    else if (tokens === undefined && tokensRequired) lines.push(`${name}: it has no token file, so no node can poll`);
    return lines;
  }
}
