import { ArchiveError, type ArchivedFile, filesOfTar } from '../common/archive.ts';
import { checkFiles, sha256Of } from './checksums.ts';
import { type BundleManifest, parseManifest } from './manifest.ts';
import { bundled } from './names.ts';

/** A bundle in memory whose files have the digests that it lists. */
export interface OpenBundle {
  readonly manifest: BundleManifest;
  readonly files: ReadonlyMap<string, ArchivedFile>;
}

/** Bytes of a bundle, and files in it: an Envoy has some 150 MB. */
export const bundleLimits = { bytes: 1024 * 1024 * 1024, files: 10_000 } as const;

/** What every bundle has. */
const needed: readonly string[] = [bundled.loader, bundled.manifest, bundled.command, bundled.module, bundled.sbom];

/**
 * Reads a bundle, and holds each of its files to its checksums. Whether the checksums are the right ones only a digest or
 * a signature of the whole file tells.
 * @throws ArchiveError for what is no bundle, is damaged, or is made to do harm
 */
export async function openBundle(bytes: Buffer, limits = bundleLimits): Promise<OpenBundle> {
  const files = await filesOfTar(bytes, limits);
  checkFiles(files);
  const missing = needed.find((path) => !files.has(path));
  if (missing !== undefined) throw new ArchiveError(`it has no ${missing}, so it is no bundle of Sluice`);
  const text = (path: string): Buffer => files.get(path)?.content ?? Buffer.alloc(0);
  const manifest = parseManifest(text(bundled.manifest).toString('utf8'));
  if (sha256Of(text(bundled.module)) !== manifest.moduleSha256) {
    throw new ArchiveError(`its ${bundled.module} is not the module that its manifest names`);
  }
  const envoy = manifest.envoys.find(({ path }) => !files.has(path));
  if (envoy !== undefined) throw new ArchiveError(`it has not the Envoy that its manifest names, ${envoy.path}`);
  return { manifest, files };
}

/**
 * Why a bundle cannot be used on a machine; undefined where it can.
 * @param os,arch of the machine, Node's names
 */
export function unsuitable({ envoys }: BundleManifest, os: string, arch: string): string | undefined {
  const other = envoys.find((envoy) => envoy.os !== os || envoy.arch !== arch);
  if (other === undefined) return undefined;
  return `its Envoy ${other.version} is for ${other.os} ${other.arch}, and this machine is ${os} ${arch}; take a bundle that was made for it, or one without an Envoy`;
}
