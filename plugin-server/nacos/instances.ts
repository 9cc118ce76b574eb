import * as z from 'zod';
import type { Endpoint } from '../../envoy/render/upstream.ts';
import type { NacosClient } from './client.ts';
import type { ServiceRef } from './server.ts';

const instanceSchema = z.object({
  ip: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
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
 * all of them: Nacos' check may fail where the gateway gets through, and trying costs no more than an error.
 */
function inUse(instances: readonly Instance[]): readonly Instance[] {
  const able = instances.filter(({ enabled, weight }) => enabled && weight > 0);
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
