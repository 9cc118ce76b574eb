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
});

type Instance = z.infer<typeof instanceSchema>;

/** Weights here are whole numbers up to this; Nacos has fractions, and 1 for most. */
const mostWeight = 10_000;
/** Endpoints of a service. */
const mostInstances = 1_000;

/**
 * The endpoints of a service, in order.
 * @throws NacosError, Error
 */
export async function readEndpoints(client: NacosClient, service: ServiceRef, stop: AbortSignal): Promise<Endpoint[]> {
  const answer = await client.get('/v3/client/ns/instance/list', { ...service }, stop);
  const read = z.array(instanceSchema).max(mostInstances).safeParse(answer);
  if (!read.success) throw new Error(`the instances of ${service.serviceName} have a form that is not known`);
  return endpointsOf(read.data);
}

/**
 * The instances that take requests: those that are enabled, have a weight, and are healthy. Where none of these is healthy,
 * all of them: Nacos' check may fail where the gateway gets through, and trying costs no more than an error.
 */
export function endpointsOf(instances: readonly Instance[]): Endpoint[] {
  const able = instances.filter(({ enabled, weight }) => enabled && weight > 0);
  const healthy = able.filter((instance) => instance.healthy);
  const taken = healthy.length > 0 ? healthy : able;
  const least = Math.min(...taken.map(({ weight }) => weight));
  const isEven = taken.every(({ weight }) => weight === least);
  const endpoints = new Map<string, Endpoint>();
  for (const { ip, port, weight } of taken) {
    const share = isEven ? {} : { weight: Math.max(1, Math.min(mostWeight, Math.round(weight / Math.min(1, least)))) };
    endpoints.set(`${ip} ${String(port).padStart(5, '0')}`, { address: ip, port, ...share });
  }
  return [...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
