import { ArchiveError } from '../common/archive.ts';

/** The form of bundles that this Sluice writes and reads. */
const format = 1;

/** An Envoy in a bundle. `os` and `arch` are Node's names: `linux`, `x64`. */
export interface BundledEnvoy {
  /** `1.40.0` */
  readonly version: string;
  readonly os: string;
  readonly arch: string;
  /** In the bundle. */
  readonly path: string;
}

/** What a bundle says of itself. */
export interface BundleManifest {
  /** The version of the Sluice in it. */
  readonly version: string;
  /** Lower-case hex; what gateways pin. */
  readonly moduleSha256: string;
  readonly envoys: readonly BundledEnvoy[];
}

export function manifestText({ version, moduleSha256, envoys }: BundleManifest): string {
  return `${JSON.stringify({ format, name: 'sluice', version, moduleSha256, envoys }, undefined, 2)}\n`;
}

/** @throws ArchiveError for what no release of Sluice wrote, and for a form that this one does not know */
export function parseManifest(text: string): BundleManifest {
  const value = jsonOf(text) as Partial<BundleManifest & { format: number; name: string }> | null;
  if (value?.name !== 'sluice' || typeof value.format !== 'number') {
    throw new ArchiveError('its bundle.json is none of Sluice');
  }
  const { version, moduleSha256, envoys } = value;
  if (value.format !== format) {
    throw new ArchiveError(
      `it is a bundle of format ${value.format} (Sluice ${String(version)}), and this loader knows format ${format}; ` +
        'use the sluice-load.mjs that is in it',
    );
  }
  if (typeof version !== 'string' || typeof moduleSha256 !== 'string' || !Array.isArray(envoys)) {
    throw new ArchiveError('its bundle.json is not whole');
  }
  return { version, moduleSha256, envoys: envoys.map(envoyOf) };
}

function envoyOf(value: unknown): BundledEnvoy {
  const { version, os, arch, path } = (value ?? {}) as Partial<BundledEnvoy>;
  if ([version, os, arch, path].some((part) => typeof part !== 'string')) {
    throw new ArchiveError('its bundle.json is not whole');
  }
  return { version, os, arch, path } as BundledEnvoy;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
