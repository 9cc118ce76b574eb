// What a session needs to work: ids and headers that come through, tools that are listed, streams that are not kept.
import { didYouMean } from '../../common/nearest.ts';
import { isSuccess } from './connection.ts';
import { type Reply, isFromModule, reasonOf, summaryOf } from './exchange.ts';
import {
  type Subject,
  initializeBody,
  post,
  rpc,
  sessionRevisions,
  statelessMeta,
  statelessRevision,
} from './subject.ts';

type Headers = Readonly<Record<string, string>>;

/** How many connections are tried where replicas may differ. */
export const connections = 6;

const mostPages = 100;
/** Bytes: more than a proxy takes unless it is told to. */
const bodySize = Math.round(1.1 * 2 ** 20);
const streamPatience = 5_000;

/** Opens a session, looks at what works in it, and ends it. @param headers of every request: the token */
export async function probeSession(subject: Subject, headers: Headers): Promise<void> {
  const { findings, url } = subject;
  const reply = await post(subject, initializeBody(sessionRevisions[0]), headers);
  const sent = `POST ${url} initialize`;
  if (!isSuccess(reply)) {
    findings.unjudged(ofSessions, `initialize was refused: ${summaryOf(reply)}`);
    return;
  }
  const id = reply.headers['mcp-session-id'];
  if (typeof id !== 'string') {
    findings.problem('session-id-lost', summaryOf(reply), sent);
    findings.unjudged(ofSessions, 'there is no session');
    return;
  }
  findings.ok('session-id-lost', 'mcp-session-id is there', sent);
  const inSession = { ...headers, 'mcp-session-id': id, 'mcp-protocol-version': revisionOf(reply) };
  await post(subject, JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }), inSession);
  const isKept = await probeId(subject, inSession);
  await probeRevisions(subject, headers);
  if (isKept) {
    await probeVersionHeader(subject, inSession);
    await probeTools(subject, inSession);
    await probeStream(subject, inSession);
    await probeBodyLimit(subject, inSession);
  }
  await probeEnd(subject, inSession);
}

const ofSessions = [
  'session-id-lost',
  'session-header-lost',
  'session-forgotten',
  'version-header',
  'revision',
  'empty-list',
  'unknown-tool',
  'buffering',
  'body-limit',
  'delete',
] as const;

function revisionOf({ message }: Reply): string {
  const { protocolVersion } = message?.result as { protocolVersion?: unknown };
  return typeof protocolVersion === 'string' ? protocolVersion : sessionRevisions[0];
}

/** Whether the session is known whoever is asked. */
async function probeId(subject: Subject, headers: Headers): Promise<boolean> {
  const { findings, url } = subject;
  const sent = `POST ${url} ping, in the session, ${connections} times`;
  for (let count = 0; count < connections; count++) {
    const reply = await post(subject, rpc('ping'), headers);
    const reason = reasonOf(reply);
    if (reason !== 'session_required' && reason !== 'session_unknown') continue;
    const isLost = reason === 'session_required';
    findings.problem(isLost ? 'session-header-lost' : 'session-forgotten', summaryOf(reply), sent);
    const why = isLost ? 'no request in a session comes through' : 'the session is known now and then';
    findings.unjudged(['session-header-lost', 'session-forgotten', ...ofSessions.slice(5, 9)], why);
    findings.unjudged(['version-header'], why);
    return false;
  }
  for (const symptom of ['session-header-lost', 'session-forgotten'] as const)
    findings.ok(symptom, 'the session is known on every connection', sent);
  return true;
}

async function probeRevisions(subject: Subject, headers: Headers): Promise<void> {
  const spoken: string[] = [];
  const refused: string[] = [];
  for (const revision of sessionRevisions) {
    const reply = await post(subject, initializeBody(revision), headers);
    const session = reply.headers['mcp-session-id'];
    const isSpoken = isSuccess(reply) && revisionOf(reply) === revision;
    (isSpoken ? spoken : refused).push(revision);
    if (typeof session === 'string') await end(subject, { ...headers, 'mcp-session-id': session });
  }
  const body = rpc('server/discover', { _meta: statelessMeta });
  const stateless = { 'mcp-protocol-version': statelessRevision, 'mcp-method': 'server/discover' };
  if (isSuccess(await post(subject, body, { ...headers, ...stateless }))) spoken.unshift(statelessRevision);
  const sent = `POST ${subject.url} initialize in ${sessionRevisions.join(', ')}; server/discover`;
  if (refused.length === 0) subject.findings.ok('revision', `spoken: ${spoken.join(', ')}`, sent);
  else subject.findings.problem('revision', `not spoken: ${refused.join(', ')}`, sent);
}

async function probeVersionHeader(subject: Subject, headers: Headers): Promise<void> {
  const reply = await post(subject, rpc('ping'), { ...headers, 'mcp-protocol-version': '1999-01-01' });
  const sent = `POST ${subject.url} ping, mcp-protocol-version: 1999-01-01`;
  const isRefused = reasonOf(reply) === 'unsupported_version';
  if (isRefused) subject.findings.ok('version-header', 'a revision that does not exist is refused', sent);
  else subject.findings.problem('version-header', summaryOf(reply), sent);
}

async function probeTools(subject: Subject, headers: Headers): Promise<void> {
  const { findings, url, tool } = subject;
  const listed = await listTools(subject, headers);
  const sent = `POST ${url} tools/list`;
  if (!Array.isArray(listed)) findings.problem('empty-list', summaryOf(listed), sent);
  else if (listed.length === 0) findings.problem('empty-list', 'no tool is listed', sent);
  else findings.ok('empty-list', `listed tools: ${listed.length}`, sent);
  if (tool !== undefined) {
    const names = Array.isArray(listed) ? listed : [];
    if (names.includes(tool)) findings.ok('unknown-tool', `${tool} is listed`, sent);
    else if (names.includes('search_tools') && names.includes('call_tool'))
      findings.unjudged(
        ['unknown-tool'],
        `${tool} is not listed: ask search_tools for it, as toolSearch lists few tools`,
      );
    else findings.problem('unknown-tool', `${tool} is not listed${didYouMean(tool, names)}`, sent);
    return;
  }
  const name = 'no_such_tool.sluice-doctor';
  const reply = await post(subject, rpc('tools/call', { name, arguments: {} }), headers);
  const calling = `POST ${url} tools/call ${name}`;
  if (reasonOf(reply) === 'unknown_tool')
    findings.ok('unknown-tool', 'what does not exist is refused as such', calling);
  else if (isServersRefusal(reply))
    findings.ok('unknown-tool', 'a server whose tools have no prefix refuses what does not exist', calling);
  else findings.problem('unknown-tool', summaryOf(reply), calling);
}

/** A server whose tools have no prefix is asked for every name that nobody else has, and says no in its own words. */
function isServersRefusal(reply: Reply): boolean {
  const { result, error } = reply.message ?? {};
  if (!isFromModule(reply) || reasonOf(reply) !== undefined) return false;
  return error !== undefined || (result as { isError?: unknown } | undefined)?.isError === true;
}

/** Names of all tools, or the answer that is no list. */
async function listTools(subject: Subject, headers: Headers): Promise<string[] | Reply> {
  const names: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const reply = await post(subject, rpc('tools/list', cursor === undefined ? {} : { cursor }), headers);
    const { tools, nextCursor } = (reply.message?.result ?? {}) as { tools?: unknown; nextCursor?: unknown };
    if (!Array.isArray(tools)) return reply;
    names.push(...(tools as { name?: unknown }[]).map(({ name }) => String(name)));
    if (typeof nextCursor !== 'string' || nextCursor === cursor) break;
    cursor = nextCursor;
  }
  return names;
}

/** A proxy that keeps responses sends no header of one that stays open. */
async function probeStream({ findings, url, send }: Subject, headers: Headers): Promise<void> {
  const sent = `GET ${url}, in the session`;
  try {
    const { status, headers: came } = await send(url, {
      headers: { ...headers, accept: 'text/event-stream' },
      within: streamPatience,
      headersOnly: true,
    });
    // One of a known length has ended: a proxy that keeps responses lets it through.
    const hasEnded = came['content-length'] !== undefined;
    if (status === 405 || hasEnded)
      findings.unjudged(['buffering'], 'this session has no event stream that stays open');
    else findings.ok('buffering', `${status}, ${came['content-type'] ?? 'no type'}: its headers came at once`, sent);
  } catch (error) {
    findings.problem('buffering', `no headers within ${streamPatience / 1000} s: ${(error as Error).message}`, sent);
  }
}

/** It is announced alone: proxies look at the length, and the gateway counts nothing. */
async function probeBodyLimit({ findings, url, announce }: Subject, headers: Headers): Promise<void> {
  const sent = `POST ${url}, content-length: ${bodySize}, expect: 100-continue`;
  const said = await announce(url, { ...headers, 'content-type': 'application/json' }, bodySize);
  if (said === 'continue') findings.ok('body-limit', 'such a body may come', sent);
  else if (said === 'silence') findings.unjudged(['body-limit'], 'nothing is said to the announcement of a large body');
  else if (said.status !== 413) findings.unjudged(['body-limit'], summaryOf(said));
  else findings.problem('body-limit', summaryOf(said), sent);
}

function end({ url, send }: Subject, headers: Headers): Promise<Reply> {
  return send(url, { method: 'DELETE', headers });
}

async function probeEnd(subject: Subject, headers: Headers): Promise<void> {
  const reply = await end(subject, headers);
  const sent = `DELETE ${subject.url}, in the session`;
  if (isFromModule(reply)) subject.findings.ok('delete', `${reply.status}`, sent);
  else subject.findings.problem('delete', summaryOf(reply), sent);
}
