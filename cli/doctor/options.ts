/** What `sluice doctor --help` prints. */
export const doctorUsage = `usage: sluice doctor URL [options]

Looks at a running gateway from outside, with one probe for each symptom of docs/troubleshooting.md, and tells what it
found, how it knows, and what to do. It changes nothing: it opens sessions and ends them, lists tools, and calls none
but one that cannot exist. URL is the one that clients use, like http://127.0.0.1:10000/mcp.

  --admin URL                the admin address of Envoy, like http://127.0.0.1:9901: more can be said then
  --token-file FILE          the token of a client (or SLUICE_TOKEN in the environment)
  --status-token-file FILE   the token of the status (or SLUICE_STATUS_TOKEN)
  --header 'NAME: VALUE'     sent with every request to the gateway; may be repeated
  --origin ORIGIN            a web page that is to use the gateway, like https://inspector.example.com
  --tool NAME                a tool that is missing
  --ca FILE                  certificate authorities of the gateway, PEM
  --bundle FILE              write a support archive (tar): findings, versions, status, Envoy's configuration and counters,
                             without secrets
  --json                     print one JSON object per line: finding, examined, error

Exit codes: 0 no problem was found, 1 one was, 2 wrong use, 3 something needed is missing.
`;

export const doctorFlags = {
  admin: { type: 'string' },
  'token-file': { type: 'string' },
  'status-token-file': { type: 'string' },
  header: { type: 'string', multiple: true, default: [] as string[] },
  origin: { type: 'string' },
  tool: { type: 'string' },
  ca: { type: 'string' },
  bundle: { type: 'string' },
} as const;

export interface DoctorOptions {
  readonly url: string;
  /** Its origin. */
  readonly admin: string | undefined;
  readonly tokenFile: string | undefined;
  readonly statusTokenFile: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly origin: string | undefined;
  readonly tool: string | undefined;
  readonly ca: string | undefined;
  readonly bundle: string | undefined;
}

/**
 * @param example of such a URL
 * @throws Error that names what is wrong
 */
export function readUrl(flag: string, value: string, example: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`${flag} takes a URL like ${example}, not ${JSON.stringify(value)}`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new Error(`${flag} takes a URL without credentials, query and fragment, like ${example}`);
  return url;
}

/**
 * `x-user: ada`
 * @returns its name in lower case, and its value
 * @throws Error that says what is expected
 */
export function readHeader(value: string): [string, string] {
  const [, name, text] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(value) ?? [];
  if (name === undefined || text === undefined)
    throw new Error(`--header takes 'NAME: VALUE', not ${JSON.stringify(value)}`);
  return [name.toLowerCase(), text];
}
