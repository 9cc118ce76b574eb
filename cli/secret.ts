import { PluginServerError, readRegularFile } from '../plugin-server/index.ts';

/** A token that allows publishing; for the server, and for the commands that talk to it. */
export const tokenVariable = 'SLUICE_PUBLISH_TOKEN';

/** Size of a certificate chain, a key, a list of tokens. */
const mostBytes = 1024 * 1024;

/** @throws PluginServerError `secret_unusable` */
export async function readSecret(file: string): Promise<string> {
  try {
    return String(await readRegularFile(file, mostBytes));
  } catch (error) {
    throw new PluginServerError('secret_unusable', file, `it ${(error as Error).message}`);
  }
}
