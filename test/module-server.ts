// The module from a real plugin server.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadArtifact, startPluginServer } from '../plugin-server/index.ts';

/** Where a gateway gets its module. */
export interface ModuleSource {
  /** Of the plugin server. */
  readonly url: string;
  /** SHA-256 of the module, in hexadecimal digits. */
  readonly digest: string;
}

export interface ModuleServer {
  readonly source: ModuleSource;
  readonly stop: () => Promise<void>;
}

/** @param tls key and certificate of the server, in PEM; without them the module comes in the clear */
export async function startModuleServer(tls?: { readonly key: string; readonly cert: string }): Promise<ModuleServer> {
  const bytes = readFileSync(new URL('../build/plugin.wasm', import.meta.url));
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const artifacts = [loadArtifact('sluice', version, bytes)];
  const server = await startPluginServer({ artifacts, host: '127.0.0.1', port: 0, ...(tls && { tls }) });
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { source: { url: server.url, digest }, stop: () => server.close() };
}
