import { isIP } from 'node:net';
import type { Upstream } from '../upstream.ts';

/** Where a server is, seen from inside a cluster of Kubernetes. */
export interface ClusterHost {
  /** A Service, a DNS name of elsewhere, or an IP address. */
  readonly kind: 'service' | 'name' | 'address';
  /** The full name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

function ownPod(host: string): string {
  return `${host} is the gateway's own pod, and no server answers there: name the Service, or a host that pods can reach`;
}

const dnsName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)+$/;

/**
 * @param domain of the cluster: what names of Services end with
 * @throws Error with a sentence for what no pod could reach
 */
export function clusterHost({ address, tls }: Upstream, domain: string): ClusterHost {
  const host = address.host.replace(/\.$/, '');
  const { port } = address;
  if (isIP(host) !== 0) {
    if (isLoopback(host)) throw new Error(ownPod(host));
    return { kind: 'address', host, port, tls };
  }
  if (host === 'localhost' || host.endsWith('.localhost')) throw new Error(ownPod(host));
  if (!host.includes('.'))
    throw new Error(`${host} means another Service in each namespace: write ${host}.NAMESPACE.svc`);
  if (!dnsName.test(host) || host.length > 253) throw new Error(`${host} is no DNS name that Kubernetes takes`);
  if (host.endsWith('.svc')) return { kind: 'service', host: `${host}.${domain}`, port, tls };
  return { kind: host.endsWith(`.svc.${domain}`) ? 'service' : 'name', host, port, tls };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
