import type { GatewayServer } from '../../envoy/render/bootstrap.ts';

/** A server that can be asked something. */
export type AskedServer = GatewayServer & { readonly url: string };

/** Undefined: it has prompts that the gateway makes, and nothing else, so there is nobody to ask. */
export function asked(server: GatewayServer): AskedServer | undefined {
  return server.url === undefined ? undefined : { ...server, url: server.url };
}
