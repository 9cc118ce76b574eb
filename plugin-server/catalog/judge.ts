import { checkPlugin } from '../../envoy/check/plugin.ts';
import type { Problem } from '../../envoy/check/problem.ts';
import { moduleServer } from '../../envoy/render/servers.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import type { Catalog } from './catalog.ts';
import { serversOf, virtualServersOf } from './servers.ts';
import type { Judge } from './settle.ts';

/** What catalogs are judged by, where it is there: gateways judge again, by the modules that they have. */
const moduleName = 'sluice';

/** The digest of the module that judges; empty where none is there. */
export function judgeDigest(store: ArtifactStore): string {
  return newest(store)?.sha256 ?? '';
}

/** Judges catalogs as if each was the whole configuration of a gateway with the newest module. */
export function judgeBy(store: ArtifactStore): Judge {
  return async (catalog) => {
    const { problems } = serversOf(catalog);
    const wrong = problems.map(({ path, message }): Problem => ({ path, message, severity: 'error' }));
    const module = newest(store);
    if (wrong.length > 0 || module === undefined || catalog.servers.length === 0) return wrong;
    return checkPlugin(module.bytes, asConfiguration(catalog));
  };
}

/** The plugin configuration that a catalog alone makes. */
function asConfiguration(catalog: Catalog): object {
  return {
    hostMode: 'hold',
    servers: serversOf(catalog).servers.map((server) => moduleServer(server)),
    virtualServers: virtualServersOf(catalog),
  };
}

function newest(store: ArtifactStore): ReturnType<ArtifactStore['newest']> | undefined {
  try {
    return store.newest(moduleName, 'latest');
  } catch {
    return undefined;
  }
}
