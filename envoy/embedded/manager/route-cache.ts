import type { Route } from '../config/route.ts';
import type { StreamOptions } from './options.ts';

/** The route of a request, looked up once for the headers as they are. */
export class RouteCache {
  readonly #options: StreamOptions;
  #route: Route | undefined;
  #known = false;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  find(): Route | undefined {
    if (this.#known) return this.#route;
    this.#known = true;
    const { info, findRoute, onRoute } = this.#options;
    const found = findRoute(info.requestHeaders);
    this.#route = found?.route;
    info.routeName = found?.route.name;
    info.virtualHost = found?.virtualHost;
    const action = found?.route.action;
    const byName = action?.kind === 'route' && action.cluster.kind === 'name';
    info.upstreamCluster = byName ? action.cluster.value : undefined;
    onRoute(this.#route);
    return this.#route;
  }

  /** What is shown of it stays until it is looked up anew, as in Envoy. */
  clear(): void {
    this.#known = false;
  }
}
