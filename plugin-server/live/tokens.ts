import { join } from 'node:path';
import type { Problem } from '../../envoy/check/plugin.ts';
import { Tokens } from '../publish/tokens.ts';
import { codeOf, readRegularFile } from '../store/files.ts';

/** The file in a gateway's directory that holds its tokens, a line each: the old one works while a new one is rolled out. */
export const tokenFileName = 'token';

/** Bytes. */
const tokenFileLimit = 64 * 1024;

/** What a token file says. One that cannot be used opens nothing, and closes what a token has to open. */
export interface GatewayTokens {
  /** `undefined` where there is no file. */
  readonly digests: readonly Buffer[] | undefined;
  readonly problems: readonly Problem[];
}

/** Reads the token file of a gateway's directory; no problem repeats a token. */
export async function readTokens(directory: string): Promise<GatewayTokens> {
  const refused = (message: string): GatewayTokens => ({
    digests: [],
    problems: [{ path: tokenFileName, message, severity: 'error' }],
  });
  let text: string;
  try {
    text = String(await readRegularFile(join(directory, tokenFileName), tokenFileLimit));
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? { digests: undefined, problems: [] }
      : refused(`it ${(error as Error).message}`);
  }
  try {
    return { digests: Tokens.parse(text, tokenFileName).digests, problems: [] };
  } catch (error) {
    return refused((error as Error).message);
  }
}

/** Whose a token is. It is looked up by its digest: what the time of that tells of a digest says nothing of a token. */
export class TokenIndex<Owner extends { readonly tokens: GatewayTokens }> {
  readonly #owners = new Map<string, Set<Owner>>();

  constructor(gateways: Iterable<Owner>) {
    for (const gateway of gateways) {
      for (const digest of gateway.tokens.digests ?? []) {
        const key = digest.toString('hex');
        this.#owners.set(key, (this.#owners.get(key) ?? new Set()).add(gateway));
      }
    }
  }

  /** Nobody where it is no gateway's. */
  owners(digest: Buffer): ReadonlySet<Owner> {
    return this.#owners.get(digest.toString('hex')) ?? new Set();
  }
}
