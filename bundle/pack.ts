import { pack } from 'tar-stream';
import type { ArchivedFile } from '../common/archive.ts';
import { checksumsOf } from './checksums.ts';
import { type BundleManifest, manifestText } from './manifest.ts';
import { bundled } from './names.ts';

/**
 * The tar of a bundle. Its bytes hang on its files alone: no times, no owners, names in order, the loader first, since it
 * is taken out by hand.
 * @param files without manifest and checksums, which are made here
 */
export async function packBundle(files: ReadonlyMap<string, ArchivedFile>, manifest: BundleManifest): Promise<Buffer> {
  const all = new Map(files);
  const add = (path: string, text: string): void =>
    void all.set(path, { content: Buffer.from(text), executable: false });
  add(bundled.manifest, manifestText(manifest));
  add(bundled.checksums, checksumsOf(all));
  const first: readonly string[] = [bundled.loader, bundled.manifest, bundled.checksums];
  const rest = [...all.keys()].filter((path) => !first.includes(path)).sort();
  const archive = pack();
  const chunks: Buffer[] = [];
  const read = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const path of [...first, ...rest]) {
    const { content, executable } = all.get(path) ?? { content: Buffer.alloc(0), executable: false };
    const header = { name: path, mode: executable ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0 };
    archive.entry(header, content);
  }
  archive.finalize();
  await read;
  return Buffer.concat(chunks);
}
