// What the gateway says of itself to its operator.
import { type Reply, jsonOf, reasonOf, summaryOf } from './exchange.ts';
import type { Findings } from './finding.ts';
import { connections } from './session.ts';
import type { SymptomId } from './symptoms.ts';
import { type Subject, bearer } from './subject.ts';

/** `GET <endpoint>/-/status`, docs/metrics.md. */
export interface Status {
  readonly version: string;
  readonly configuration: string;
  readonly servers: readonly {
    readonly name: string;
    readonly state: string;
    readonly lastFailure?: { readonly reason: string; readonly detail: string; readonly at: number };
  }[];
  readonly limits: readonly { readonly name: string; readonly times: number; readonly at: number }[];
}

const ofServers = {
  upstream_unknown_cluster: 'server-cluster',
  upstream_unreachable: 'server-down',
  upstream_timeout: 'server-slow',
  upstream_unauthorized: 'server-credentials',
  upstream_status: 'server-error',
  upstream_protocol: 'server-protocol',
  loop: 'loop',
} as const satisfies Readonly<Record<string, SymptomId>>;

/** Milliseconds for which a failure counts after which nothing is known against the server. */
const recent = 10 * 60_000;

const ofStatus: readonly SymptomId[] = ['replicas-differ', 'limits-met', ...Object.values(ofServers)];

/** Reads and judges it. @returns undefined where it cannot be read */
export async function probeStatus(subject: Subject, endpoint: string | undefined): Promise<Status | undefined> {
  const { findings, send, statusToken } = subject;
  if (endpoint === undefined) {
    findings.unjudged(['status-off', 'status-token', ...ofStatus], 'no endpoint answers /-/health');
    return undefined;
  }
  const url = `${endpoint}/-/status`;
  const sent = `GET ${url}`;
  const ask = (): Promise<Reply> => send(url, { headers: bearer(statusToken) });
  const reply = await ask();
  const status = jsonOf(reply.text) as Status | undefined;
  if (reply.status !== 200 || !Array.isArray(status?.servers) || !Array.isArray(status.limits)) {
    const isOff = reasonOf(reply) === 'status_not_configured' || reasonOf(reply) === 'unknown_virtual_server';
    if (isOff) findings.warning('status-off', summaryOf(reply), sent);
    else findings.problem('status-token', summaryOf(reply), sent);
    findings.unjudged(['status-off', 'status-token', ...ofStatus], 'the status could not be read');
    return undefined;
  }
  for (const id of ['status-off', 'status-token'] as const) findings.ok(id, 'the status is there', sent);
  const others = await Promise.all(Array.from({ length: connections - 1 }, ask));
  const digests = new Set(
    [reply, ...others].map(({ text }) => String((jsonOf(text) as Partial<Status> | undefined)?.configuration)),
  );
  if (digests.size > 1) findings.problem('replicas-differ', [...digests].join(', '), sent);
  else findings.ok('replicas-differ', `configuration ${[...digests].join()}`, sent);
  judge(status, sent, findings);
  return status;
}

function judge({ servers, limits }: Status, sent: string, findings: Findings): void {
  for (const { name, state, lastFailure } of servers) {
    if (lastFailure === undefined) continue;
    const { reason, detail, at } = lastFailure;
    const when = new Date(at * 1000).toISOString();
    const isLoop = /\b508\b/.test(detail);
    const symptom = isLoop ? 'loop' : (ofServers as Record<string, SymptomId | undefined>)[reason];
    if (symptom === undefined) continue;
    const found = `${name} (${state}): ${reason}: ${detail}, ${when}`;
    if (state === 'ok' && Date.now() - at * 1000 > recent) findings.warning(symptom, found, sent);
    else findings.problem(symptom, found, sent);
  }
  const none = 'no server has failed at it lately';
  for (const symptom of Object.values(ofServers)) if (!findings.has(symptom)) findings.ok(symptom, none, sent);
  if (limits.length === 0) findings.ok('limits-met', 'no request has met a limit', sent);
  for (const { name, times, at } of limits)
    findings.warning('limits-met', `${name}: ${times} times, last ${new Date(at * 1000).toISOString()}`, sent);
}
