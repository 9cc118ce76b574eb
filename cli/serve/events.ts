import type { Listing } from '../../plugin-server/index.ts';
import type { Io } from '../io.ts';

export type ServedPlugin = Listing & { readonly name: string };

export type ServeEvent =
  | { readonly event: 'ready'; readonly pluginServer: string; readonly plugins: readonly ServedPlugin[] }
  | { readonly event: 'stopped' };

/** Versions that a person is shown; the others are in the listing. */
const shownVersions = 20;

/** For people. */
export function printed(io: Io): (event: ServeEvent) => void {
  return (event) => {
    switch (event.event) {
      case 'ready':
        io.out(readyText(event));
        break;
      case 'stopped':
        io.out('stopped\n');
        break;
    }
  };
}

function readyText({ pluginServer, plugins }: ServeEvent & { event: 'ready' }): string {
  const lines = plugins
    .slice(0, shownVersions)
    .map(({ size, sha256, url }) => `  ${url}  ${size} bytes  sha256 ${sha256}`);
  const more = plugins.length - lines.length;
  if (more > 0) lines.push(`  and ${more} more: ${pluginServer}/plugins`);
  return [`plugin server ready on ${pluginServer}; stop it with Ctrl-C`, ...lines, ''].join('\n');
}
