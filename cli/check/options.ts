export const checkUsage = `usage: sluice check [options] [FILE|DIR …]

Checks configurations and shows everything that is wrong with them at once: plugin configurations, directories of live
delivery, Envoy bootstraps, and Kubernetes resources for Istio. Each is recognised by what is in it. Without a file: the
configurations that Sluice ships. docs/check.md lists what is looked for.

  --module FILE   the module that the configurations are for (default: the one that "npm run build" made)
  --envoy         let an Envoy check bootstraps as well (ENVOY_PATH, or the first one found that can run the module)
  --json          print one JSON object per line: problem, checked, error

Exit codes: 0 no error (there may be warnings), 1 an error was found, 2 wrong use, 3 something needed is missing.
`;

export interface CheckOptions {
  /** Files and directories; empty: what is shipped. */
  readonly paths: readonly string[];
  readonly module: string | undefined;
  readonly envoy: boolean;
}

export const checkFlags = {
  module: { type: 'string' },
  envoy: { type: 'boolean', default: false },
} as const;
