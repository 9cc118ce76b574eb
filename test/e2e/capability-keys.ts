// Keys of two issuers, one of callers' tokens and one of the lists in x-mcp-authorized, in files.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwks, publicKeys } from './token-filter.ts';

export const issuer = 'https://id.example.com';
export const capabilityIssuer = 'https://authorino.example.com';

export interface CapabilityKeys {
  /** Files of JWKS. */
  readonly callers: string;
  readonly capabilities: string;
  /** Signs the lists. */
  readonly signer: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly remove: () => void;
}

export function capabilityKeys(): CapabilityKeys {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-capabilities-'));
  const callers = join(folder, 'callers.json');
  const capabilities = join(folder, 'capabilities.json');
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(callers, publicKeys());
  writeFileSync(capabilities, jwks(signer.publicKey));
  return {
    callers,
    capabilities,
    signer,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
