import type { Problem } from '../../envoy/check/problem.ts';
import type { CatalogServer } from '../catalog/catalog.ts';
import { failureText } from '../http/client.ts';
import { forEach } from '../store/each.ts';
import type { NacosClient } from './client.ts';
import { type Instances, ownGroup, readInstances, readOwnServices } from './instances.ts';
import type { Described, ServiceRef } from './server.ts';

/** Services that are looked up by themselves in one look, beside those that are new; the others come in the next ones. */
const lookUps = 20;
/** Milliseconds after a list of services that could not be read: this Nacos may have none, or not for this user. */
const pauseAfterFailure = 60_000;
/** Lookups at a time. */
const atOnce = 8;
/** Milliseconds for which a service has to list no instance before that is believed: clients register anew after a restart. */
const emptyFor = 30_000;

/** The instances of a service, as they were read last. */
interface Known {
  readonly service: ServiceRef;
  instances: Instances;
  /** Since when it lists none, or has not been read. */
  emptySince: number | undefined;
  lookedUp: number;
}

const noInstances: Instances = { endpoints: [] };

/** The services that the servers of a namespace name, by what a catalog calls them. */
export class Services {
  readonly #client: NacosClient;
  readonly #known = new Map<string, Known>();
  /** Before that, the services of Nacos' own group are looked up by themselves. */
  #listsFrom = 0;

  constructor(client: NacosClient) {
    this.#client = client;
  }

  /** What is known of a service; nothing of one that no server names. */
  instances(key: string): Instances {
    return this.#known.get(key)?.instances ?? noInstances;
  }

  /** Whether a service has listed no instance yet, and may still do so: Nacos lists a server before it gives its instances out. */
  isAwaited(key: string, now: number): boolean {
    const known = this.#known.get(key);
    if (known === undefined || known.instances.endpoints.length > 0) return false;
    return known.emptySince !== undefined && now - known.emptySince < emptyFor;
  }

  /**
   * Reads what is due of the services that servers name, and forgets those that none names any more.
   * @param given what their instances were, where this has not looked before
   * @param problems gets what could not be read
   */
  async lookUp(
    described: readonly Described[],
    given: readonly CatalogServer[],
    problems: Problem[],
    stop: AbortSignal,
  ): Promise<void> {
    this.#want(described, given);
    const seen = await this.#lookUpOwn(stop);
    const due = [...this.#known.values()].filter((known) => !seen.has(known));
    due.sort((a, b) => a.lookedUp - b.lookedUp);
    const fresh = due.filter(({ lookedUp }) => lookedUp === 0);
    await forEach([...fresh, ...due.slice(fresh.length, fresh.length + lookUps)], atOnce, async (known) => {
      try {
        take(known, await readInstances(this.#client, known.service, stop), Date.now());
      } catch (error) {
        if (stop.aborted) throw error;
        const { groupName, serviceName } = known.service;
        const message = `the instances of ${groupName}/${serviceName}: ${failureText(error)}`;
        problems.push({ path: '', message, severity: 'error' });
      }
    });
  }

  #want(described: readonly Described[], given: readonly CatalogServer[]): void {
    const wanted = new Map(described.map((each) => [each.server.service ?? '', each.service]));
    for (const key of this.#known.keys()) if (!wanted.has(key)) this.#known.delete(key);
    const before = new Map(given.map((server) => [server.service, instancesIn(server)]));
    for (const [key, service] of wanted) {
      if (this.#known.has(key)) continue;
      const instances = before.get(key) ?? noInstances;
      const emptySince = instances.endpoints.length > 0 ? undefined : Date.now();
      this.#known.set(key, { service, instances, emptySince, lookedUp: 0 });
    }
  }

  /** Looks up the services of Nacos' own group, all at once. @returns those that were found */
  async #lookUpOwn(stop: AbortSignal): Promise<ReadonlySet<Known>> {
    const seen = new Set<Known>();
    if (Date.now() < this.#listsFrom) return seen;
    const own = [...this.#known.values()].filter(({ service }) => service.groupName === ownGroup);
    try {
      for (const namespaceId of new Set(own.map(({ service }) => service.namespaceId))) {
        const services = await readOwnServices(this.#client, namespaceId, stop);
        for (const known of own) {
          const instances = services.get(known.service.serviceName);
          if (known.service.namespaceId !== namespaceId || instances === undefined) continue;
          take(known, instances, Date.now());
          seen.add(known);
        }
      }
    } catch (error) {
      if (stop.aborted) throw error;
      this.#listsFrom = Date.now() + pauseAfterFailure;
    }
    return seen;
  }
}

/** As a catalog has them that was made before. */
function instancesIn({ endpoints = [], stickyCookie }: CatalogServer): Instances {
  return { endpoints, ...(typeof stickyCookie === 'string' && { stickyCookie }) };
}

function take(known: Known, instances: Instances, now: number): void {
  known.lookedUp = now;
  if (instances.endpoints.length > 0) {
    known.instances = instances;
    known.emptySince = undefined;
    return;
  }
  known.emptySince ??= now;
  if (now - known.emptySince >= emptyFor) known.instances = noInstances;
}
