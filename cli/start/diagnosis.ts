import type { GatewayServer } from '../../envoy/render/bootstrap.ts';
import { type Answer, Refusal, statelessRevision } from '../../common/mcp-client.ts';
import type { AskedServer } from './asked-server.ts';

/** What is wrong with a server, and the next step, in one line. */
type Sentence = (where: Where) => string;

interface Where {
  readonly server: GatewayServer;
  readonly url: URL;
  /** `127.0.0.1:3001` */
  readonly address: string;
}

/** Codes of Node and OpenSSL, and what they mean for the one who wrote the URL; the first that matches counts. */
const connectionRows: readonly { code: RegExp; says: Sentence }[] = [
  { code: /^ECONNREFUSED$/, says: ({ address }) => `nothing listens at ${address}: start it, or correct its port` },
  { code: /^(ENOTFOUND|EAI_AGAIN)$/, says: ({ url }) => `there is no host ${url.hostname}: is the name right?` },
  { code: /^(EHOSTUNREACH|ENETUNREACH)$/, says: ({ address }) => `there is no way to ${address}: is the network up?` },
  {
    code: /^(ABORT_ERR|ETIMEDOUT|TimeoutError)$/,
    says: ({ address }) => `${address} does not answer within 5 s: is it busy, or behind a firewall?`,
  },
  {
    code: /^(ERR_SSL_\w+|EPROTO)$/,
    says: ({ address }) => `${address} does not speak TLS: is its URL http:// and not https://?`,
  },
  {
    code: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    says: ({ url }) => `its certificate is not for ${url.hostname}: is that the right name?`,
  },
  {
    code: /CERT|SELF_SIGNED|UNABLE_TO_/,
    says: () => 'its certificate is not trusted here: name the file of its authority in SSL_CERT_FILE',
  },
  {
    code: /^(ECONNRESET|EPIPE|HPE_\w+|UND_ERR_SOCKET)$/,
    says: ({ url, address }) =>
      `${address} ends the connection without an HTTP answer: ${
        url.protocol === 'http:' ? 'is its URL https:// and not http://?' : 'is it an HTTP server?'
      }`,
  },
];

/** Answers that are not MCP's, and what they mean; the first that matches counts. */
const answerRows: readonly { matches: (answer: Answer) => boolean; says: (answer: Answer, where: Where) => string }[] =
  [
    {
      matches: ({ status, headers }) => status >= 300 && status < 400 && headers.location !== undefined,
      says: ({ status, headers }, { url }) =>
        `${status}: it redirects to ${target(headers.location, url)}; use that URL`,
    },
    {
      matches: ({ status }) => status === 401,
      says: (answer, { server }) => `401: ${credentialsStep(server, answer)}`,
    },
    {
      matches: ({ status, text, message }) =>
        [403, 421].includes(status) && /host/i.test(text + wordsOf(message?.error)),
      says: (answer, { url, server }) =>
        `${answer.status}: ${words(answer)}: it takes another Host than ${authorityOf(server, url)}; set \`authority\` of the server in the configuration`,
    },
    {
      matches: ({ status }) => status === 403,
      says: (answer, { server }) => `403: ${words(answer)}: ${credentialsStep(server, answer)}`,
    },
    {
      matches: ({ status }) => [404, 405, 501].includes(status),
      says: ({ status }, where) => `${status} ${pathStep(where)}`,
    },
    {
      matches: ({ status, message }) => status === 429 || (status >= 500 && message === undefined),
      says: (answer) => `${answer.status}: ${words(answer)}: look into its log, and try again later`,
    },
    {
      matches: ({ headers }) => /^text\/html\b/i.test(headers['content-type'] ?? ''),
      says: ({ status }, where) => `${status}, a web page ${pathStep(where)}`,
    },
    {
      matches: ({ message }) => message?.error !== undefined,
      says: (answer) => `it refuses: ${words(answer)}`,
    },
    {
      matches: ({ headers }) => (headers['content-encoding'] ?? 'identity') !== 'identity',
      says: ({ headers }) =>
        `its answer is compressed (${String(headers['content-encoding'])}), which nobody asked for`,
    },
    {
      matches: () => true,
      says: (answer, { url }) => `${answer.status}: no MCP answer at ${url.pathname}: ${words(answer)}`,
    },
  ];

/** A server that lists its tools to clients with credentials of their own alone is as it should be. */
export function waitsForCredentials(server: GatewayServer, error: unknown): boolean {
  const { credentials } = server as { credentials?: { type?: unknown } };
  const isOfCaller = ['passthrough', 'choice', 'exchange'].includes(String(credentials?.type));
  return isOfCaller && error instanceof Refusal && [401, 403].includes(error.answer.status);
}

/**
 * What is wrong with a server, and the next step, in one line of at most some 300 characters, without control characters.
 * @param error what asking it threw
 */
export function diagnoseServer(server: AskedServer, error: unknown): string {
  const url = new URL(server.url);
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const where = { server, url, address: `${url.hostname}:${port}` };
  return printable(error instanceof Refusal ? ofAnswer(error, where) : ofConnection(error as Error, where));
}

function ofAnswer({ method, isStateless, answer }: Refusal, where: Where): string {
  const row = answerRows.find(({ matches }) => matches(answer));
  const sentence = row?.says(answer, where) ?? '';
  if (method === 'initialize') return sentence;
  if (isStateless && (answer.status === 400 || answer.message !== undefined)) {
    return `${sentence}; host mode headers needs servers of ${statelessRevision}`;
  }
  return `${method}: ${sentence}`;
}

function ofConnection(error: Error & { code?: unknown }, where: Where): string {
  // Where a name has several addresses, each of which was tried, the first tells as much as all.
  const cause = error instanceof AggregateError ? ((error.errors as Error[])[0] ?? error) : error;
  const { code = cause.name } = cause as { code?: string };
  return connectionRows.find((row) => row.code.test(code))?.says(where) ?? `${where.address}: ${cause.message}`;
}

function authorityOf({ authority }: GatewayServer, { host }: URL): string {
  return typeof authority === 'string' ? authority : host;
}

function pathStep({ url }: Where): string {
  const next = url.pathname === '/mcp' ? 'which path does it serve MCP at?' : 'is it /mcp?';
  return `at ${url.pathname}: ${next}`;
}

function credentialsStep({ credentials }: GatewayServer, answer: Answer): string {
  const { type, env } = (credentials ?? {}) as { type?: unknown; env?: unknown };
  if (type === 'header') return `it refuses the credentials in ${String(env)}`;
  const said = answer.status === 401 ? 'it asks for credentials' : 'it may want credentials';
  return `${said}: name them in \`credentials\` of the server in the configuration`;
}

/** -32022 names the revisions that a stateless server has (2026-07-28, `server/discover`). */
export function speaksStatelessOnly({ message }: Answer): boolean {
  const data = message?.error?.data as { supported?: unknown } | undefined;
  const supported = data?.supported;
  return (
    Array.isArray(supported) && supported.length > 0 && supported.every((revision) => revision >= statelessRevision)
  );
}

function target(location: string | undefined, base: URL): string {
  return location !== undefined && URL.canParse(location, base.href) ? new URL(location, base).href : String(location);
}

/** Its own words: those of a JSON-RPC error, else the beginning of the body, without markup. */
function words({ text, message }: Answer): string {
  const said = wordsOf(message?.error) || text.replaceAll(/<style[^]*?<\/style>|<[^<>]*>/gi, ' ');
  const line = said.replaceAll(/\s+/g, ' ').trim();
  return line === '' ? 'it says no more' : `"${line.length > 160 ? `${line.slice(0, 160)}…` : line}"`;
}

function wordsOf(error: { readonly message?: unknown } | undefined): string {
  return typeof error?.message === 'string' ? error.message : '';
}

/** A server writes no escape sequences to a terminal. */
function printable(line: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return line.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ').slice(0, 400);
}
