import type { FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { nearest } from '../../common/nearest.ts';
import type { OperatorAccess } from '../publish/operators.ts';
import { presentedToken } from '../publish/tokens.ts';
import type { GatewayDirectory } from './directory.ts';
import type { DeliveredGateway } from './gateway.ts';

/** `tokensRequired`: whether every poll needs a token; on loopback a gateway needs one if it has a token file. */
export type AccessOptions = OperatorAccess;

const none = 'there is none';
const unknown = 'this one is no gateway’s';

/** Who may poll for what, and who may look at it all. */
export class Access {
  readonly #directory: GatewayDirectory;
  readonly #options: AccessOptions;

  constructor(directory: GatewayDirectory, options: AccessOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** Before a body is read: whether there is a token that opens anything. @throws PluginServerError `token_required` */
  checkToken({ headers }: FastifyRequest): void {
    const presented = presentedToken(headers.authorization);
    if (presented === undefined && this.#options.tokensRequired) throw new PluginServerError('token_required', none);
    if (presented !== undefined && this.#directory.tokens.owners(presented).size === 0) {
      throw new PluginServerError('token_required', unknown);
    }
  }

  /**
   * The gateway that a node may have.
   * @param cluster the node's word for what it is
   * @throws PluginServerError `token_required`, `token_foreign`, `unknown_gateway`, `no_gateways`
   */
  gatewayFor(cluster: string, { headers }: FastifyRequest): DeliveredGateway {
    const presented = presentedToken(headers.authorization);
    if (presented !== undefined) {
      const owners = [...this.#directory.tokens.owners(presented)];
      const [first] = owners;
      if (first === undefined) throw new PluginServerError('token_required', unknown);
      const owner = owners.find(({ name }) => name === cluster);
      if (owner !== undefined) return owner;
      const advice = `it is one of ${first.name}: correct node.cluster, or the token`;
      throw new PluginServerError('token_foreign', JSON.stringify(cluster), advice);
    }
    if (this.#options.tokensRequired) throw new PluginServerError('token_required', none);
    const gateway = this.gateway(cluster);
    if (gateway.tokens.digests !== undefined) {
      throw new PluginServerError('token_required', `${cluster} has a token file`);
    }
    return gateway;
  }

  /** @throws PluginServerError `unknown_gateway`, `no_gateways` */
  gateway(name: string): DeliveredGateway {
    const gateway = this.#directory.get(name);
    if (gateway !== undefined) return gateway;
    const names = this.#directory.all().map((each) => each.name);
    const similar = nearest(name, names);
    const said = JSON.stringify(name);
    throw similar === undefined
      ? new PluginServerError('no_gateways', said)
      : new PluginServerError('unknown_gateway', said, similar);
  }
}
