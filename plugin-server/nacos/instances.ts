import * as z from 'zod';
import type { Endpoint } from '../../envoy/render/upstream.ts';
import type { NacosClient } from './client.ts';
import type { ServiceRef } from './server.ts';

const instanceSchema = z.object({
  ip: z.string().min(1).max(253),
  port: z.int().min(0).max(65_535),
  weight: z.number().default(1),
  healthy: z.boolean().default(true),
  enabled: z.boolean().default(true),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

type Instance = z.infer<typeof instanceSchema>;

/** What the instances of a service say of it. */
export interface Instances {
  readonly endpoints: readonly Endpoint[];
  /** The cookie by which balancers that are registered as instances find the one of a session. */
  readonly stickyCookie?: string | undefined;
}

/** The metadata of an instance in which it says `stickyCookie`: a convention of ours. */
const stickyCookieKey = 'stickyCookie';

/** Weights here are whole numbers up to this; Nacos has fractions, and 1 for most. */
const mostWeight = 10_000;
/** Endpoints of a service. */
const mostInstances = 1_000;

/** Nacos' own group: each version of an MCP server that has an address, and names no service, has a service in it. */
export const ownGroup = 'mcp-endpoints';
/** The cluster whose instances Nacos gives to who names none. */
const defaultCluster = 'DEFAULT';
/** Services of a page, and pages. */
const [pageSize, mostPages] = [500, 20];

const servicesSchema = z.object({
  pageItems: z
    .array(
      z.object({
        serviceName: z.string(),
        groupName: z.string(),
        clusterMap: z
          .record(z.string(), z.object({ hosts: z.array(instanceSchema).max(mostInstances).nullish() }))
          .nullish(),
      }),
    )
    .nullable(),
});

/**
 * The instances of the services in Nacos' own group, by the name of the service. To read them all at once costs Nacos a tenth of
 * what it costs to ask for 20 of them. A service that is not among them may still be there: while pages are read, others come
 * and go.
 * @throws NacosError, Error
 */
export async function readOwnServices(
  client: NacosClient,
  namespaceId: string,
  stop: AbortSignal,
): Promise<ReadonlyMap<string, Instances>> {
  const found = new Map<string, Instances>();
  for (let pageNo = 1; pageNo <= mostPages; pageNo++) {
    const query = { namespaceId, groupNameParam: ownGroup, withInstances: 'true' };
    const pages = { pageNo: String(pageNo), pageSize: String(pageSize) };
    const read = servicesSchema.safeParse(await client.get('/v3/admin/ns/service/list', { ...query, ...pages }, stop));
    if (!read.success) throw new Error('the list of services has a form that is not known');
    const items = read.data.pageItems ?? [];
    for (const { serviceName, groupName, clusterMap } of items) {
      if (groupName === ownGroup) found.set(serviceName, instancesOf(clusterMap?.[defaultCluster]?.hosts ?? []));
    }
    if (items.length < pageSize) break;
  }
  return found;
}

/** @throws NacosError, Error */
export async function readInstances(client: NacosClient, service: ServiceRef, stop: AbortSignal): Promise<Instances> {
  const answer = await client.get('/v3/client/ns/instance/list', { ...service }, stop);
  const read = z.array(instanceSchema).max(mostInstances).safeParse(answer);
  if (!read.success) throw new Error(`the instances of ${service.serviceName} have a form that is not known`);
  return instancesOf(read.data);
}

/** What is said of those that take requests. */
export function instancesOf(instances: readonly Instance[]): Instances {
  const taken = inUse(instances);
  const stickyCookie = taken
    .map(({ metadata }) => metadata?.[stickyCookieKey])
    .find((name) => typeof name === 'string');
  return { endpoints: endpointsOf(taken), ...(stickyCookie !== undefined && { stickyCookie }) };
}

/**
 * The instances that take requests: those that are enabled, have a weight, and are healthy. Where none of these is healthy,
 * all of them: Nacos' check may fail where the gateway gets through, and trying costs no more than an error. Port 0, which Nacos
 * takes in, is none to connect to.
 */
function inUse(instances: readonly Instance[]): readonly Instance[] {
  const able = instances.filter(({ enabled, weight, port }) => enabled && weight > 0 && port > 0);
  const healthy = able.filter((instance) => instance.healthy);
  return healthy.length > 0 ? healthy : able;
}

/** In order. */
function endpointsOf(taken: readonly Instance[]): Endpoint[] {
  const least = Math.min(...taken.map(({ weight }) => weight));
  const isEven = taken.every(({ weight }) => weight === least);
  const endpoints = new Map<string, Endpoint>();
  for (const { ip, port, weight } of taken) {
    const share = isEven ? {} : { weight: Math.max(1, Math.min(mostWeight, Math.round(weight / Math.min(1, least)))) };
    endpoints.set(`${ip} ${String(port).padStart(5, '0')}`, { address: ip, port, ...share });
  }
  return [...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
