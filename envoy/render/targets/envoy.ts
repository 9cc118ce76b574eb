import { type Bootstrap, gatewayBootstrap, shippedBootstrap } from '../bootstrap.ts';
import type { GatewayServer } from '../servers.ts';
import { readByEnvoy } from '../token-filter.ts';
import { authoritiesIn, parseHostPort } from '../upstream.ts';
import { isolatedSessions, noPolledCatalog } from './notes.ts';
import type { RenderOptions } from './options.ts';
import type { RenderedGateway, Target } from './target.ts';

/** Where Debian's, and so Envoy's own images have the authorities. */
export const debianAuthorities = '/etc/ssl/certs/ca-certificates.crt';

/** The whole configuration of an Envoy that runs on a machine of its own: no file of this one is in it. */
export function renderedBootstrap(
  { plugin, servers, module }: RenderedGateway,
  { listen, admin, authorities }: Pick<RenderOptions, 'listen' | 'admin' | 'authorities'>,
): Bootstrap {
  return gatewayBootstrap({
    listen: parseHostPort(listen),
    admin: parseHostPort(admin),
    pluginServerUrl: module.server,
    modulePath: module.path,
    digest: module.sha256,
    plugin,
    servers: servers.map(({ entry }) => entry as GatewayServer),
    machine: { trust: authoritiesIn(authorities), keyFiles: readByEnvoy },
    base: shippedBootstrap(),
  });
}

export const envoyTarget: Target = {
  summary: 'a whole configuration of Envoy: envoy -c FILE',
  hostModes: ['hold', 'pair', 'headers'],
  otherModes: 'it is one of hold, pair, headers',
  foreignClusters: false,
  catalog: noPolledCatalog,
  options: { listen: '127.0.0.1:10000', admin: '127.0.0.1:9901', authorities: debianAuthorities },
  render: (gateway, options) => ({
    documents: [renderedBootstrap(gateway, options)],
    notes: isolatedSessions(gateway.plugin),
  }),
};
