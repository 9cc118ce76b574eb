import type { LeftOuts } from './left-out.ts';

/** An entry of `servers`, with `url` in the place of a cluster. */
export type ServerEntry = Readonly<Record<string, unknown>> & { readonly name: string };

export interface VirtualServerEntry {
  readonly name: string;
  readonly tools: readonly string[];
  readonly prompts?: readonly string[];
  readonly resources?: readonly string[];
}

/** A plugin configuration as `sluice start --config` takes it, made of another product's. */
export interface Configuration {
  readonly servers: readonly ServerEntry[];
  readonly virtualServers: readonly VirtualServerEntry[];
  readonly [member: string]: unknown;
}

/** What was read, and where each part of it came from: the module's judgement is told at that place. */
export interface Migration {
  readonly configuration: Configuration;
  /** By a path of the configuration, `servers[0]`, `servers[0].rest.tools[2]`: where it stood. */
  readonly origins: ReadonlyMap<string, string>;
  readonly leftOut: LeftOuts;
}

/** Without members that say nothing. */
export function written({ servers, virtualServers, ...more }: Configuration): object {
  return { ...more, servers, ...(virtualServers.length > 0 && { virtualServers }) };
}
