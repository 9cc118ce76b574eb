// How the first request ends: everything between a client and the decision of the gateway.
import { type Reply, isFromModule, reasonOf, summaryOf } from './exchange.ts';
import type { SymptomId } from './symptoms.ts';
import { type Subject, bearer, endpointsOf, initializeBody, post, sessionRevisions } from './subject.ts';

/** Codes of Node and OpenSSL for what is wrong with TLS; all others are connections that do not come about. */
const ofTls = /^(?:ERR_SSL_\w+|ERR_TLS_\w+|EPROTO|CERT_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+|HPE_\w+)$/;

/** Answers to `initialize` that are none, and what each is a sign of; the first that fits counts. */
const signs: readonly (readonly [SymptomId, (reply: Reply) => boolean])[] = [
  ['redirect', ({ status, headers }) => status >= 300 && status < 400 && headers.location !== undefined],
  ['host', (reply) => reasonOf(reply) === 'host_forbidden'],
  ['loop', (reply) => reasonOf(reply) === 'loop'],
  ['virtual-server', (reply) => reasonOf(reply) === 'unknown_virtual_server'],
  ['revision', (reply) => reasonOf(reply) === 'unsupported_version'],
  ['host-mode', (reply) => reasonOf(reply) === 'host_mode' && isFromModule(reply)],
  ['default-deny', (reply) => reasonOf(reply) === 'host_mode'],
  ['media-type', ({ status }) => status === 406 || status === 415],
  ['module-failed', (reply) => reply.status === 503 && isEnvoys(reply) && reply.text.trim() === ''],
  ['wrong-path', (reply) => [404, 405, 501].includes(reply.status) && !isFromModule(reply)],
  ['no-module', (reply) => !isFromModule(reply)],
];

function isEnvoys(reply: Reply): boolean {
  return reply.headers['server'] === 'envoy' && !isFromModule(reply);
}

/** What an answer to `initialize` rules out, whatever its status. */
const ruledOut: readonly SymptomId[] = ['unreachable', 'tls', 'redirect'];
const ofModule: readonly SymptomId[] = ['no-module', 'module-failed', 'default-deny', 'wrong-path', 'media-type'];
const ofServed: readonly SymptomId[] = ['host-mode', 'host', 'loop', 'virtual-server'];

/**
 * Sends `initialize` without a token, and judges what comes.
 * @returns the answer where the module gave it, or another filter asks for a token
 */
export async function probeConnection(subject: Subject): Promise<Reply | undefined> {
  const { findings, url } = subject;
  const sent = `POST ${url} initialize`;
  let reply: Reply;
  try {
    reply = await post(subject, initializeBody(sessionRevisions[0]));
  } catch (error) {
    const { code = (error as Error).name, message } = rootOf(error);
    const isTls = ofTls.test(code);
    if (isTls) findings.ok('unreachable', 'something answers', sent);
    findings.problem(isTls ? 'tls' : 'unreachable', `${code}: ${message}`, sent);
    return undefined;
  }
  const summary = summaryOf(reply);
  const found = reply.status === 401 ? undefined : signs.find(([, fits]) => fits(reply))?.[0];
  if (found !== undefined) findings.problem(found, summary, sent);
  const proven = [...ruledOut, ...(isFromModule(reply) ? ofModule : []), ...(isSuccess(reply) ? ofServed : [])];
  const { status, headers } = reply;
  const by = isFromModule(reply) ? `, by ${String(headers['x-mcp-gateway'])}` : '';
  for (const id of proven) if (!findings.has(id)) findings.ok(id, `${status}${by}`, sent);
  return found === undefined ? reply : undefined;
}

/** The error of the connection: where a name has several addresses, the first tells as much as all. */
function rootOf(error: unknown): Error & { code?: string } {
  const root = error instanceof AggregateError ? (error.errors[0] as Error | undefined) : undefined;
  return root ?? (error as Error);
}

/** Whether an answer is 200 with a JSON-RPC result. */
export function isSuccess({ status, message }: Reply): boolean {
  return status === 200 && message?.result !== undefined;
}

/** The endpoint of the gateway: the URL, or what it is below. Undefined: none of them says that it is healthy. */
export async function findEndpoint({ url, send }: Subject): Promise<string | undefined> {
  for (const endpoint of endpointsOf(url)) {
    try {
      const { status, text } = await send(`${endpoint}/-/health`);
      if (status === 200 && text.includes('"ok"')) return endpoint;
    } catch {
      return undefined; // told already
    }
  }
  return undefined;
}

/** The preflight of a web page (Fetch §4.8). */
export async function probeOrigin({ url, send, findings, origin, token }: Subject): Promise<void> {
  if (origin === undefined) {
    findings.unjudged(['origin'], 'name the origin of a web page with --origin');
    return;
  }
  const asked = token === undefined ? 'content-type' : 'authorization,content-type';
  const reply = await send(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked },
  });
  const allowed = reply.headers['access-control-allow-origin'];
  const sent = `OPTIONS ${url} origin: ${origin}`;
  if (allowed === origin || allowed === '*') findings.ok('origin', `access-control-allow-origin: ${allowed}`, sent);
  else findings.problem('origin', summaryOf(reply), sent);
}

/** @param first the answer to `initialize` without a token. @returns the headers of all that follows, or undefined */
export async function probeAccess(subject: Subject, first: Reply): Promise<Record<string, string> | undefined> {
  const { findings, url, token } = subject;
  const sent = `POST ${url} initialize`;
  if (first.status !== 401) {
    findings.ok('challenge', 'nobody is asked for a token', sent);
    findings.unjudged(['metadata', 'token', 'token-lost'], 'nobody is asked for a token');
    return bearer(token);
  }
  const challenge = first.headers['www-authenticate'] ?? '';
  const [, document] = /\bresource_metadata="(https?:\/\/[^"]+)"/.exec(challenge) ?? [];
  if (document === undefined) findings.problem('challenge', summaryOf(first), sent);
  else findings.ok('challenge', `www-authenticate: ${challenge}`, sent);
  await probeMetadata(subject);
  if (token === undefined) {
    findings.unjudged(['token', 'token-lost'], 'there is no token: put one into SLUICE_TOKEN');
    return undefined;
  }
  const reply = await post(subject, initializeBody(sessionRevisions[0]), bearer(token));
  const withToken = `${sent}, with the token`;
  if (reply.status !== 401) {
    for (const id of ['token', 'token-lost'] as const) findings.ok(id, `${reply.status} with the token`, withToken);
    return bearer(token);
  }
  const isRead = /\berror="invalid_token"/.test(reply.headers['www-authenticate'] ?? '');
  findings.problem(isRead ? 'token' : 'token-lost', summaryOf(reply), withToken);
  findings.unjudged(['token', 'token-lost'], 'the other of the two was found');
  return undefined;
}

const wellKnown = '/.well-known/oauth-protected-resource';

/** RFC 9728 §3: clients look at both places, and take the document for what it says that it is about. */
async function probeMetadata({ findings, url, send }: Subject): Promise<void> {
  const { origin, pathname } = new URL(url);
  const defects: string[] = [];
  for (const place of [wellKnown + pathname, wellKnown]) {
    const reply = await send(origin + place);
    const defect = defectOf(reply, url, place !== wellKnown);
    if (defect !== undefined) defects.push(`${place}: ${defect}`);
  }
  const sent = `GET ${wellKnown}${pathname}, GET ${wellKnown}`;
  if (defects.length === 0) findings.ok('metadata', `both documents are there, without a token`, sent);
  else findings.problem('metadata', defects.join('; '), sent);
}

function defectOf(reply: Reply, url: string, isOwn: boolean): string | undefined {
  if (reply.status !== 200) return summaryOf(reply);
  let document: { resource?: unknown; authorization_servers?: unknown };
  try {
    document = JSON.parse(reply.text) as typeof document;
  } catch {
    return 'it is no JSON';
  }
  const { resource, authorization_servers: servers } = document;
  if (isOwn && resource !== url) return `it is about ${JSON.stringify(resource)}, and clients use ${url}`;
  if (typeof resource !== 'string' || !URL.canParse(resource)) return 'it names no resource';
  if (!Array.isArray(servers) || servers.length === 0) return 'it names no authorization server';
  return undefined;
}
