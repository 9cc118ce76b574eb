export const checkUsage = `usage: sluice check [options] [FILE|DIR …]

Checks configurations and shows everything that is wrong with them at once: plugin configurations, directories of live
delivery, Envoy bootstraps, and Kubernetes resources for Istio. Each is recognised by what is in it. Without a file: the
configurations that Sluice ships. docs/check.md lists what is looked for.

  --module FILE   the module that the configurations are for (default: the one that "npm run build" made)
  --envoy         let an Envoy check bootstraps as well (ENVOY_PATH, or the first one found that can run the module)
  --as FILE       show what a caller may see and use, and what decides it, where nothing is wrong: FILE has the claims of
                  the caller's token as JSON, as jwt_authn verifies them
  --authorized FILE
                  what the header x-mcp-authorized says with --as, where allowedCapabilities reads it: the payload of its token
                  as JSON (default: the header is not there)
  --names FILE    what --as is asked about: what tools/list or another list has answered, as JSON, or names of tools, one a
                  line (default: what the configuration names itself)
  --virtual-server NAMESPACE/NAME
                  where --as asks (default: at the endpoint and at each virtual server)
  --json          print one JSON object per line: problem, checked, caller, decision, error

Exit codes: 0 no error (there may be warnings), 1 an error was found, 2 wrong use, 3 something needed is missing.
`;

export interface CheckOptions {
  /** Files and directories; empty: what is shipped. */
  readonly paths: readonly string[];
  readonly module: string | undefined;
  readonly envoy: boolean;
  /** Files; undefined: not asked for. */
  readonly as: string | undefined;
  readonly authorized: string | undefined;
  readonly names: string | undefined;
  readonly virtualServer: string | undefined;
}

export const checkFlags = {
  module: { type: 'string' },
  envoy: { type: 'boolean', default: false },
  as: { type: 'string' },
  authorized: { type: 'string' },
  names: { type: 'string' },
  'virtual-server': { type: 'string' },
} as const;
