// Certificates as an operator makes them: an authority of one's own, and what it signed.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './support.ts';

/** All PEM. */
export interface Certificate {
  readonly authority: string;
  readonly cert: string;
  readonly key: string;
}

/** A certificate for a name, by an authority that signs nothing else. */
export function makeCertificate(name: string): Certificate {
  const folder = temporaryFolder();
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = (file: string): string[] => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    file,
  ];
  openssl('req', '-x509', ...key('ca.key'), '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  openssl('req', ...key('server.key'), '-out', 'server.csr', '-subj', `/CN=${name}`);
  writeFileSync(at('extensions'), `subjectAltName=DNS:${name}\n`);
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'extensions'];
  openssl('x509', '-req', '-in', 'server.csr', ...signing, '-out', 'server.pem');
  const read = (file: string): string => readFileSync(at(file), 'utf8');
  return { authority: read('ca.pem'), cert: read('server.pem'), key: read('server.key') };
}
