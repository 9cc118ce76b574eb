import { readFileSync } from 'node:fs';
import { type NetConnectOpts, type Socket, connect as connectTcp, isIP } from 'node:net';
import { type PeerCertificate, type TLSSocket, connect as connectTls } from 'node:tls';
import type { Cluster, HostPort, UpstreamTls } from '../config/model.ts';

/** Errors that a connection to an upstream ends with before it is one. */
export class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout';
}

/** Opens a connection; it fails by itself where that takes longer than the cluster allows. */
export function openConnection({ connectTimeout, tls, protocol }: Cluster, { host, port }: HostPort): Socket {
  // Happy eyeballs: `localhost` is ::1 and 127.0.0.1, and a server is often on one only.
  const address: NetConnectOpts = { host, port, noDelay: true, autoSelectFamily: true };
  const socket = tls === undefined ? connectTcp(address) : connectTls({ ...address, ...tlsOptions(tls, protocol) });
  const ready = tls === undefined ? 'connect' : 'secureConnect';
  const timer = setTimeout(() => {
    socket.destroy(new ConnectTimeout(`no connection within ${connectTimeout} ms`));
  }, connectTimeout);
  const settled = (): void => {
    clearTimeout(timer);
  };
  socket.once(ready, () => {
    settled();
    if (tls !== undefined) checkNames(socket as TLSSocket, tls);
  });
  socket.once('close', settled);
  return socket;
}

function tlsOptions({ sni, trustedCa }: UpstreamTls, protocol: Cluster['protocol']) {
  return {
    ...(sni === undefined || isIP(sni) !== 0 ? {} : { servername: sni }),
    ...(trustedCa === undefined ? {} : { ca: readFileSync(trustedCa) }),
    rejectUnauthorized: trustedCa !== undefined, // without authorities Envoy checks nothing
    checkServerIdentity: () => undefined, // names are checked below, where there are some to check
    ALPNProtocols: protocol === 'HTTP2' ? ['h2'] : ['http/1.1'],
  };
}

/** match_typed_subject_alt_names: one of them has to be in the certificate. */
function checkNames(socket: TLSSocket, { names }: UpstreamTls): void {
  if (names.length === 0) return;
  const { subjectaltname = '' } = socket.getPeerCertificate() as Partial<PeerCertificate>;
  const present = subjectaltname.split(', ');
  const prefixes = { DNS: 'DNS:', IP_ADDRESS: 'IP Address:', URI: 'URI:' };
  if (names.some(({ type, exact }) => present.includes(prefixes[type] + exact))) return;
  socket.destroy(new Error('the certificate has none of the names that the cluster asks for'));
}
