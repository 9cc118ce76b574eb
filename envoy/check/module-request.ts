import { isRange, isVersion } from '../../common/version.ts';

/** What a gateway asks for: `{name: sluice, version: ^0.1}`. */
export interface ModuleRequest {
  readonly name: string;
  /** A version, a range in npm's notation, or `latest`. */
  readonly version: string;
}

/** What `module` means where it is left out. */
export const defaultModule: ModuleRequest = { name: 'sluice', version: 'latest' };

export function isVersionRequest(text: string): boolean {
  return isVersion(text) || isRange(text);
}
