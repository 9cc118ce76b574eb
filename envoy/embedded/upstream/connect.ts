import { X509Certificate } from 'node:crypto';
import { type NetConnectOpts, type Socket, connect as connectTcp, isIP } from 'node:net';
import { type ConnectionOptions, type PeerCertificate, connect as connectTls } from 'node:tls';
import type { Cluster, HostPort, UpstreamTls } from '../config/model.ts';
import type { TrustStore } from './trust.ts';

/** Errors that a connection to an upstream ends with before it is one. */
export class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/** Opens connections to one cluster. */
export interface Connector {
  /**
   * The connection, which is not made yet: it fails by itself where it takes longer than the cluster allows, or where the
   * certificate is not the one that the cluster asks for.
   * @returns a socket that nothing may be written to before `connectedEvent`
   */
  open(host: HostPort): Socket;
  /** What a socket emits once a request may be written to it: behind a handshake, where there is one. */
  readonly connectedEvent: 'connect' | 'secureConnect';
}

/** @throws EngineError where the authorities of the cluster cannot be read */
export function connectorFor({ connectTimeout, tls, protocol }: Cluster, trust: TrustStore): Connector {
  const secured = tls === undefined ? undefined : tlsOptions(tls, protocol, trust);
  return {
    connectedEvent: secured === undefined ? 'connect' : 'secureConnect',
    open: ({ host, port }) => {
      // Happy eyeballs: `localhost` is ::1 and 127.0.0.1, and a server is often on one only.
      const address: NetConnectOpts = { host, port, noDelay: true, autoSelectFamily: true };
      const socket = secured === undefined ? connectTcp(address) : connectTls({ ...address, ...secured });
      const timer = setTimeout(() => {
        socket.destroy(new ConnectTimeout(`no connection within ${connectTimeout} ms`));
      }, connectTimeout);
      const settled = (): void => {
        clearTimeout(timer);
      };
      socket.once(secured === undefined ? 'connect' : 'secureConnect', settled);
      socket.once('close', settled);
      return socket;
    },
  };
}

function tlsOptions(tls: UpstreamTls, protocol: Cluster['protocol'], trust: TrustStore): ConnectionOptions {
  const usualProtocols = protocol === 'HTTP2' ? ['h2'] : ['http/1.1'];
  return {
    ...(tls.sni === undefined || isIP(tls.sni) !== 0 ? {} : { servername: tls.sni }), // RFC 6066 §3: no addresses
    secureContext: trust.context(tls),
    rejectUnauthorized: tls.trustedCa !== undefined, // without authorities Envoy checks nothing
    // Asked behind the chain and before `secureConnect`: a connection that it refuses never was one.
    checkServerIdentity: (_, certificate) => namesDefect(certificate, tls),
    ALPNProtocols: tls.applicationProtocols.length > 0 ? [...tls.applicationProtocols] : usualProtocols,
  };
}

/** match_typed_subject_alt_names: one of them has to be in the certificate; a wildcard there stands for one label. */
function namesDefect({ raw }: PeerCertificate, { names }: UpstreamTls): Error | undefined {
  if (names.length === 0) return undefined;
  const certificate = new X509Certificate(raw);
  const has: Readonly<Record<UpstreamTls['names'][number]['type'], (name: string) => boolean>> = {
    DNS: (name) => certificate.checkHost(name, { subject: 'never' }) !== undefined,
    IP_ADDRESS: (name) => certificate.checkIP(name) !== undefined,
    URI: (name) => (certificate.subjectAltName ?? '').split(', ').includes(`URI:${name}`),
  };
  if (names.some(({ type, exact }) => has[type](exact))) return undefined;
  const asked = names.map(({ exact }) => exact).join(', ');
  return new Error(`the certificate is for ${certificate.subjectAltName ?? 'no name'}, not for ${asked}`);
}
