import { command, type Context, type Values } from '../command.ts';
import { readSource } from '../configuration-file.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { readSecret } from '../secret.ts';
import { openArchive, supportArchive } from './bundle.ts';
import { findEndpoint, probeAccess, probeConnection, probeOrigin } from './connection.ts';
import { probeEnvoy } from './envoy.ts';
import { announce, sender } from './exchange.ts';
import { type Finding, Findings } from './finding.ts';
import { type DoctorOptions, doctorFlags, doctorUsage, readHeader, readUrl } from './options.ts';
import { probeSession } from './session.ts';
import { probeStatus } from './status.ts';
import type { Subject } from './subject.ts';
import { type SymptomId, symptoms } from './symptoms.ts';

type DoctorEvent =
  | ({ readonly event: 'finding' } & Finding)
  | {
      readonly event: 'examined';
      readonly url: string;
      readonly problems: number;
      readonly warnings: number;
      readonly ok: number;
      readonly unjudged: number;
      /** The support archive. */
      readonly bundle?: string;
    };

/**
 * `sluice doctor`: looks at a running gateway for every symptom. Exit codes: 0 without a problem, 1 with one, 2 for wrong
 * arguments, 3 where a file cannot be read or written.
 */
export const doctor = command({
  name: 'doctor',
  usage: doctorUsage,
  flags: doctorFlags,
  takesArguments: true,
  read,
  print: printed,
  run,
});

function read(values: Values<typeof doctorFlags>, [url, ...more]: readonly string[]): DoctorOptions {
  if (url === undefined || more.length > 0) throw new Error('doctor takes one URL, like http://127.0.0.1:10000/mcp');
  const { admin, origin, tool, ca, bundle, header } = values;
  return {
    url: readUrl('doctor', url, 'http://127.0.0.1:10000/mcp').href,
    admin: admin === undefined ? undefined : readUrl('--admin', admin, 'http://127.0.0.1:9901').origin,
    tokenFile: values['token-file'],
    statusTokenFile: values['status-token-file'],
    headers: Object.fromEntries(header.map(readHeader)),
    origin: origin === undefined ? undefined : readUrl('--origin', origin, 'https://inspector.example.com').origin,
    tool,
    ca,
    bundle,
  };
}

async function run(options: DoctorOptions, { io, emit, progress }: Context<DoctorEvent>): Promise<number> {
  const token = await secret(options.tokenFile, 'SLUICE_TOKEN', io);
  const statusToken = await secret(options.statusTokenFile, 'SLUICE_STATUS_TOKEN', io);
  const ca = options.ca === undefined ? undefined : String(readSource(options.ca, '--ca').bytes);
  const archive = options.bundle === undefined ? undefined : await openArchive(options.bundle);
  const known = [token, statusToken, ...Object.values(options.headers).filter(({ length }) => length >= 8)].filter(
    (each) => each !== undefined,
  );
  const findings = new Findings((finding) => {
    emit({ event: 'finding', ...finding });
  }, known);
  const { url, origin, tool } = options;
  const subject: Subject = {
    ...{ url, origin, tool, token, statusToken, findings },
    send: sender(options.headers, ca),
    announce: (to, headers, length) => announce(to, { ...options.headers, ...headers }, length, ca),
  };
  progress(`looking at ${url}`);
  await examine(subject);
  const endpoint = await findEndpoint(subject);
  const status = await attempt(findings, () => probeStatus(subject, endpoint));
  const admin = await probeEnvoy(options.admin, sender({}, undefined), findings);
  findings.unjudged(Object.keys(symptoms) as SymptomId[], 'the gateway was not reached so far');
  await archive?.write(await supportArchive({ url, findings: findings.all, status, admin, known }));
  const count = (state: Finding['state']): number => findings.all.filter((each) => each.state === state).length;
  const [problems, warnings, ok, unjudged] = [count('problem'), count('warning'), count('ok'), count('unjudged')];
  const { bundle } = options;
  emit({ event: 'examined', url, problems, warnings, ok, unjudged, ...(bundle !== undefined && { bundle }) });
  return problems > 0 ? exitCode.found : exitCode.ok;
}

/** In the way of a request: what comes behind a problem cannot be judged. */
async function examine(subject: Subject): Promise<void> {
  await attempt(subject.findings, async () => {
    const first = await probeConnection(subject);
    if (first === undefined) return;
    await probeOrigin(subject);
    const headers = await probeAccess(subject, first);
    if (headers !== undefined) await probeSession(subject, headers);
  });
}

/** A connection that ends in the middle of it all is a finding as well. */
async function attempt<T>(findings: Findings, probe: () => Promise<T>): Promise<T | undefined> {
  try {
    return await probe();
  } catch (error) {
    const { code = (error as Error).name, message } = error as Error & { code?: string };
    if (!findings.has('unreachable', 'problem')) findings.problem('unreachable', `${code}: ${message}`);
    return undefined;
  }
}

async function secret(file: string | undefined, variable: string, io: Io): Promise<string | undefined> {
  const text = (file === undefined ? (io.env[variable] ?? '') : await readSecret(file)).trim();
  if (/[^\x20-\x7e]/.test(text))
    throw new CommandError(`${file ?? variable}: it is no token: one line of visible characters`);
  return text === '' ? undefined : text;
}

function isTold({ state }: Finding): boolean {
  return state === 'problem' || state === 'warning';
}

const words = { ok: 'ok', warning: 'warning', problem: 'problem' } as const;

/** Beyond it the symptoms of one reason are counted, and `--json` names them. */
const mostNamed = 4;

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function printed(io: Io): (event: DoctorEvent) => void {
  /** Symptoms that could not be judged, by the reason: a gateway that cannot be reached has one for nearly all. */
  const unjudgedBy = new Map<string, string[]>();
  return (event) => {
    if (event.event === 'examined') {
      const { problems, warnings, ok, unjudged, bundle } = event;
      for (const [reason, ids] of unjudgedBy) {
        const named = ids.length > mostNamed ? counted(ids.length, 'symptom') : ids.join(', ');
        io.out(`not judged ${named}: ${reason}\n`);
      }
      if (bundle !== undefined) io.out(`${bundle}: look through it before you send it to anybody\n`);
      const counts = `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}`;
      io.out(`${counts}, ${ok} ok, ${unjudged} not judged\n`);
      return;
    }
    const { state, symptom, title, sent, found, cause, nextStep } = event;
    if (state === 'unjudged') {
      unjudgedBy.set(found, [...(unjudgedBy.get(found) ?? []), symptom]);
      return;
    }
    if (!isTold(event)) {
      io.out(`${words[state].padEnd(10)} ${symptom}: ${found}\n`);
      return;
    }
    io.out(`${words[state].padEnd(10)} ${symptom}: ${title}\n`);
    if (sent !== undefined) io.out(`           sent:      ${sent}\n`);
    io.out(`           found:     ${found}\n`);
    io.out(`           cause:     ${cause ?? ''}\n`);
    io.out(`           next step: ${nextStep ?? ''}\n`);
  };
}
