import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { troubleshootingPage } from './page.ts';

export const pageFile = fileURLToPath(new URL('../../docs/troubleshooting.md', import.meta.url));

/** docs/troubleshooting.md as it has to be. */
export async function formattedPage(): Promise<string> {
  return format(troubleshootingPage(), { ...(await resolveConfig(pageFile)), filepath: pageFile });
}
