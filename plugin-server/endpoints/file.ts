import { join } from 'node:path';
import { PluginServerError } from '../errors.ts';
import { codeOf, readRegularFile } from '../store/files.ts';

/** The file in a gateway's directory that says where its Envoys are reached: a line `<URL> [<status token>]` each. */
const endpointsFileName = 'endpoints';

/** Bytes. */
const fileLimit = 64 * 1024;
/** Replicas of one gateway that are asked. */
const mostEndpoints = 50;

// RFC 6750 §2.1: b64token
const tokenPattern = /^[\w.~+/-]+=*$/;

/** Where MCP is spoken. */
export interface Endpoint {
  /** Without user, query and fragment, and without a slash at its end. */
  readonly url: string;
  /** What opens its status: never told to anybody else. */
  readonly statusToken: string | undefined;
}

/**
 * Reads where a gateway is reached; blank lines and `#` comments are left out.
 * @param directory of the gateway
 * @returns none where there is no file
 * @throws PluginServerError `endpoints_invalid`, which names the line and shows nothing of it
 */
export async function readEndpoints(gateway: string, directory: string): Promise<readonly Endpoint[]> {
  const invalid = (why: string): PluginServerError => new PluginServerError('endpoints_invalid', gateway, why);
  let text: string;
  try {
    text = String(await readRegularFile(join(directory, endpointsFileName), fileLimit));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw invalid(`it ${(error as Error).message}`);
  }
  const endpoints: Endpoint[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [url = '', statusToken, ...more] = line.split(/\s+/);
    const defect = more.length > 0 ? 'is not "<URL>" or "<URL> <status token>"' : defectOf(url, statusToken);
    if (defect !== undefined) throw invalid(`line ${index + 1} ${defect}`);
    endpoints.push({ url: url.replace(/\/$/, ''), statusToken });
  }
  if (endpoints.length > mostEndpoints) throw invalid(`it has more than ${mostEndpoints} endpoints`);
  return endpoints;
}

function defectOf(text: string, statusToken: string | undefined): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:\/\//i.test(text)) return 'begins with no URL like http://10.0.0.5:10000/mcp';
  // A token in the wrong place would be shown.
  if (url.username !== '' || url.password !== '' || /[?#]/.test(text)) {
    return 'has a URL with a user, a query or a fragment; the status token stands behind the URL';
  }
  if (statusToken !== undefined && !tokenPattern.test(statusToken)) {
    return 'has a token with characters that no bearer token has (RFC 6750)';
  }
  return undefined;
}
