import type { FastifyRequest } from 'fastify';
import { PluginServerError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { GatewayDirectory } from './directory.ts';
import type { Gateway } from './gateway.ts';
import { isOneOf, presentedToken, tokenDigest } from './tokens.ts';

export interface AccessOptions {
  /**
   * Whether every poll needs a token. Where the server can be reached from elsewhere it does; on loopback a gateway
   * needs one if it has a token file.
   */
  readonly tokensRequired: boolean;
  /** Opens what operators do. Without one, only a server on loopback answers them. */
  readonly publishToken: string | undefined;
}

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
    if (presented !== undefined && this.#directory.knowsToken(presented)) return;
    if (presented !== undefined) throw new PluginServerError('token_required', 'this one is no gateway’s');
    if (this.#options.tokensRequired) throw new PluginServerError('token_required', 'there is none');
  }

  /**
   * The gateway that a node may have.
   * @param cluster the node's word for what it is
   * @throws PluginServerError `token_required`, `token_foreign`, `unknown_gateway`, `no_gateways`
   */
  gatewayFor(cluster: string, { headers }: FastifyRequest): Gateway {
    const presented = presentedToken(headers.authorization);
    const gateway = this.#directory.get(cluster);
    const owner = presented && this.#directory.all().find(({ tokens }) => tokens && isOneOf(presented, tokens));
    if (gateway !== undefined && presented !== undefined && isOneOf(presented, gateway.tokens ?? [])) return gateway;
    if (owner !== undefined) {
      const advice = `it is one of ${owner.name}: correct node.cluster, or the token`;
      throw new PluginServerError('token_foreign', JSON.stringify(cluster), advice);
    }
    if (presented !== undefined) throw new PluginServerError('token_required', 'this one is no gateway’s');
    if (this.#options.tokensRequired) throw new PluginServerError('token_required', 'there is none');
    if (gateway === undefined) throw this.#unknown(cluster);
    if (gateway.tokens !== undefined) throw new PluginServerError('token_required', `${cluster} has a token file`);
    return gateway;
  }

  /** @throws PluginServerError `unknown_gateway`, `no_gateways` */
  gateway(name: string): Gateway {
    const gateway = this.#directory.get(name);
    if (gateway === undefined) throw this.#unknown(name);
    return gateway;
  }

  /** Whether a request is an operator's. @throws PluginServerError `token_required` */
  checkOperator({ headers }: FastifyRequest): void {
    const { publishToken, tokensRequired } = this.#options;
    const presented = presentedToken(headers.authorization);
    if (publishToken !== undefined) {
      if (presented !== undefined && isOneOf(presented, [tokenDigest(publishToken)])) return;
      throw new PluginServerError('token_required', 'it has to be the publish token');
    }
    if (tokensRequired) throw new PluginServerError('token_required', 'this server was started without a publish token');
    // A page of evil.example whose name leads to 127.0.0.1 (DNS rebinding) sends that name.
    if (isLoopbackName(headers.host)) return;
    throw new PluginServerError('token_required', 'without one, this server has to be asked as localhost');
  }

  #unknown(name: string): PluginServerError {
    const similar = nearest(
      name.slice(0, 128),
      this.#directory.all().map((gateway) => gateway.name),
    );
    const said = JSON.stringify(name);
    return similar === undefined
      ? new PluginServerError('no_gateways', said, 'NAME')
      : new PluginServerError('unknown_gateway', said, similar);
  }
}

function isLoopbackName(host: string | undefined): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i.test(host ?? '');
}
