import { cpSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { clone, temporaryFolder } from './support.ts';

/** What a clone has after `npm install` and a build; its Envoy configurations have the ports of the test. */
export function freshClone(withPorts: (text: string) => string = (text) => text): string {
  const folder = temporaryFolder();
  const left = new Set(['node_modules', '.git', '.envoy', '.sluice', 'try']);
  cpSync(clone, folder, {
    recursive: true,
    filter: (source) => !left.has(relative(clone, source).split('/')[0] ?? ''),
  });
  symlinkSync(join(clone, 'node_modules'), join(folder, 'node_modules'));
  for (const name of readdirSync(join(folder, 'envoy')).filter((file) => file.endsWith('.yaml'))) {
    const file = join(folder, 'envoy', name);
    writeFileSync(file, withPorts(readFileSync(file, 'utf8')));
  }
  return folder;
}
