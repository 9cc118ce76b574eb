import { createHash, timingSafeEqual } from 'node:crypto';
import type { Problem } from '../../envoy/check/plugin.ts';

/** The file in a gateway's directory that holds its tokens. */
export const tokenFileName = 'token';

/** Characters. 128 bits are 22 in base64url; what people make up themselves is shorter. */
const shortestToken = 22;
const longestToken = 1024;
/** So many lines: the token in use, the one that replaces it, and as many for a fleet that is half-way. */
const mostTokens = 4;

const hashedToken = /^sha256:([0-9a-f]{64})$/;
/** RFC 6750 §2.1: b64token */
const tokenCharacters = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Reads a token file: a token in each line, or `sha256:` and the hex digest of one, so that the file itself opens
 * nothing. With two lines the old one works on while its successor is rolled out.
 * @returns digests of the tokens; no problem repeats one
 */
export function parseTokens(text: string): { digests: Buffer[]; problems: Problem[] } {
  const digests: Buffer[] = [];
  const problems: Problem[] = [];
  const report = (message: string): void => void problems.push({ path: tokenFileName, message, severity: 'error' });
  const lines = text.split('\n').map((line) => line.trim());
  const filled = lines.filter((line) => line !== '');
  if (filled.length === 0) report('the file is empty; put a token into it, such as `openssl rand -base64 32` makes');
  if (filled.length > mostTokens) report(`the file has ${filled.length} lines; ${mostTokens} tokens are the limit`);
  for (const [index, line] of lines.slice(0, longestToken).entries()) {
    if (line === '' || digests.length === mostTokens) continue;
    const [, hex] = hashedToken.exec(line) ?? [];
    if (hex !== undefined) digests.push(Buffer.from(hex, 'hex'));
    else if (!tokenCharacters.test(line)) report(`line ${index + 1} is no bearer token: letters, digits and -._~+/= only`);
    else if (line.length < shortestToken) report(`line ${index + 1} is too short: ${shortestToken} characters are needed`);
    else if (line.length > longestToken) report(`line ${index + 1} is too long: ${longestToken} characters are the limit`);
    else digests.push(tokenDigest(line));
  }
  return { digests, problems };
}

/** SHA-256. Tokens are compared by their digests: what the time of a comparison tells of a digest says nothing of a token. */
export function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The digest of the token in an `authorization` header; `undefined` where there is none. */
export function presentedToken(authorization: string | undefined): Buffer | undefined {
  const [, token] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  return token === undefined ? undefined : tokenDigest(token);
}

/** Whether a presented token is one of these; takes as long for any. */
export function isOneOf(presented: Buffer, digests: readonly Buffer[]): boolean {
  return digests.reduce((found, digest) => timingSafeEqual(presented, digest) || found, false);
}
