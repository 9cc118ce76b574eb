// Certificates for servers under test: an authority that the gateway is told to trust, and one that it is not.
import { generate } from 'selfsigned';

export interface Credentials {
  /** PEM */
  readonly key: string;
  /** PEM */
  readonly cert: string;
}

export interface Subject {
  /** Host names and IP addresses; a name may begin with `*.`. */
  readonly names: readonly string[];
  /** The day that it ends on; a year from now unless said otherwise. */
  readonly notAfter?: Date;
}

const subject = (value: string) => [{ name: 'commonName', value }];
const day = 24 * 3600 * 1000;

export async function makeAuthority(name: string): Promise<Credentials> {
  const { private: key, cert } = await generate(subject(name), {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { key, cert };
}

export async function makeCertificate(ca: Credentials, { names, notAfter }: Subject): Promise<Credentials> {
  const altNames = names.map((name) =>
    /^[\d.]+$|:/.test(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
  );
  const { private: key, cert } = await generate(subject('server'), {
    keyType: 'ec',
    algorithm: 'sha256',
    ca,
    notBeforeDate: new Date(Date.now() - 30 * day),
    ...(notAfter === undefined ? {} : { notAfterDate: notAfter }),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { key, cert };
}
