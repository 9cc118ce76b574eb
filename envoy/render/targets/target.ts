// What a kind of output is: what it is made of, what can be said about it, and what comes out.
import type { CatalogRequest } from '../catalog-request.ts';
import type { LocatedServer } from '../servers.ts';
import type { OptionName, RenderOptions } from './options.ts';

/** The module that a gateway runs, and where it is fetched. */
export interface ServedModule {
  readonly name: string;
  /** An exact one: Envoy follows no redirect. */
  readonly version: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Origin of the plugin server as gateways reach it: `http://plugin-server.sluice.svc.cluster.local:8801`. */
  readonly server: string;
  /** `/plugins/sluice/0.1.0/plugin.wasm` */
  readonly path: string;
}

/** What resources are made of. */
export interface RenderedGateway {
  /** The plugin configuration but for its servers, with its host mode. */
  readonly plugin: Readonly<Record<string, unknown>>;
  readonly servers: readonly LocatedServer[];
  readonly module: ServedModule;
  /** What it takes from a catalog, which it then asks for itself. */
  readonly catalog?: CatalogRequest | undefined;
}

export interface Rendering {
  /** Each becomes a YAML document. */
  readonly documents: readonly object[];
  /** What is left to do, a sentence each; they become comments above the documents. */
  readonly notes: readonly string[];
}

export interface Target {
  /** For a list of all of them. */
  readonly summary: string;
  /** The host modes that it can be in; the first one where the configuration names none. */
  readonly hostModes: readonly [string, ...string[]];
  /** What to do where the configuration names another. */
  readonly otherModes: string;
  /** Whether a server may name a `cluster` that is there already, in place of a `url`. */
  readonly foreignClusters: boolean;
  /** Its options, with what they are where they are not given. */
  readonly options: Partial<Record<OptionName, string>>;
  /** `catalog` of a gateway that asks for it itself, or what to do where none does. @throws EngineError as `render` */
  readonly catalog: ((request: CatalogRequest, module: ServedModule, options: RenderOptions) => object) | string;
  /** @throws EngineError of kind `configuration` for what cannot be had there; its details name every member */
  readonly render: (gateway: RenderedGateway, options: RenderOptions) => Rendering;
}

/** The URL that gateways fetch the module from. */
export function moduleUrl({ server, path }: ServedModule): string {
  return new URL(path, server).href;
}
