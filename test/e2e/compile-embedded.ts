import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { replaceFile } from '../../scripts/replace-file.ts';
import { embeddedChild } from './embedded-process.ts';

/** Compiles the process of the embedded engine, once for hundreds of them: each would take 0.3 s of CPU to do it by itself. */
export async function compileEmbedded(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('embedded-child.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    write: false,
  });
  for (const { contents } of outputFiles) replaceFile(embeddedChild, contents);
}
