// Programs of others that tests run where they are: that one is not there is said aloud.
import { spawnSync } from 'node:child_process';

interface Source {
  /** What shows that the program is there, and runs. */
  readonly probe: readonly string[];
  /** Where one is from. */
  readonly from: string;
}

const goInstall = (program: string): string => `\`go install ${program}\` makes one`;
const debian = (name: string): string => `Debian has it in the package ${name}`;

const sources = {
  cosign: { probe: ['version'], from: goInstall('github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3') },
  crane: { probe: ['version'], from: goInstall('github.com/google/go-containerregistry/cmd/crane@v0.22.1') },
  'func-e': { probe: ['--version'], from: goInstall('github.com/tetratelabs/func-e/cmd/func-e@v1.6.0') },
  helm: { probe: ['version', '--short'], from: goInstall('helm.sh/helm/v3/cmd/helm@v3.22.0') },
  kustomize: { probe: ['version'], from: goInstall('sigs.k8s.io/kustomize/kustomize/v5@v5.8.0') },
  oras: { probe: ['version'], from: goInstall('oras.land/oras/cmd/oras@v1.3.6') },
  podman: { probe: ['--version'], from: debian('podman') },
  regctl: { probe: ['version'], from: goInstall('github.com/regclient/regclient/cmd/regctl@v0.11.7') },
  skopeo: { probe: ['--version'], from: debian('skopeo') },
} as const satisfies Record<string, Source>;

export type ToolName = keyof typeof sources;

export interface Tool {
  readonly program: string;
  readonly isThere: boolean;
}

/** A program on PATH, or the one that a variable of the environment names: `HELM_PATH`, `FUNC_E_PATH`. */
export function realTool(name: ToolName): Tool {
  const variable = `${name.toUpperCase().replaceAll('-', '_')}_PATH`;
  const program = process.env[variable] ?? name;
  const { probe, from } = sources[name];
  const isThere = spawnSync(program, probe, { stdio: 'ignore' }).status === 0;
  if (!isThere) {
    process.stderr.write(`*** No ${name} was found, its tests are SKIPPED: ${variable} names one, and ${from}. ***\n`);
  }
  return { program, isThere };
}
