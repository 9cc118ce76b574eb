// A plugin server with the catalog of one namespace, out of a folder of its own.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArtifactStore,
  CatalogDirectory,
  Catalogs,
  type RunningPluginServer,
  startPluginServer,
  Tokens,
} from '../../../plugin-server/index.ts';

const token = 'a-token-that-may-publish';

export interface CatalogServer {
  readonly url: string;
  /** The configuration of a gateway that asks for the catalog at the cluster `catalogs`, and its environment. */
  readonly asked: {
    readonly plugin: Readonly<Record<string, unknown>>;
    readonly env: Readonly<Record<string, string>>;
  };
  /** As an editor does it: whole, then renamed. */
  write(file: string, content: object | string): void;
  remove(file: string): void;
  /** Ends the plugin server; its files stay. */
  close(): Promise<void>;
  stop(): Promise<void>;
}

/** @param namespace of the catalog */
export async function startCatalogs(namespace: string): Promise<CatalogServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-catalog-'));
  const files = join(folder, 'catalogs', namespace);
  const tokens = Tokens.parse(token, 'the test');
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const store = new ArtifactStore([]);
  const catalogs = new Catalogs({ state: join(folder, 'state'), store, log });
  await catalogs.open();
  mkdirSync(join(folder, 'catalogs'));
  const directory = new CatalogDirectory({ directory: join(folder, 'catalogs'), catalogs, interval: 100 });
  await directory.start();
  const server: RunningPluginServer = await startPluginServer({
    artifacts: store,
    host: '127.0.0.1',
    port: 0,
    catalogs: { catalogs, access: { tokensRequired: true, publishers: () => tokens } },
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= server.close());
  return {
    url: server.url,
    asked: {
      plugin: { catalog: { cluster: 'catalogs', namespace, interval: '1s', token: { env: 'TOKEN' }, clusters: ['*'] } },
      env: { TOKEN: token },
    },
    write: (file, content) => {
      mkdirSync(files, { recursive: true });
      const path = join(files, file);
      writeFileSync(`${path}.new`, typeof content === 'string' ? content : JSON.stringify(content));
      renameSync(`${path}.new`, path);
    },
    remove: (file) => {
      rmSync(join(files, file));
    },
    close,
    stop: async () => {
      await close();
      await directory.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
