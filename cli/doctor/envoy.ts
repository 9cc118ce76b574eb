// What Envoy's admin address tells, which nothing but reading is done with.
import { checkFiles } from '../../envoy/check/files.ts';
import { readModule } from '../../envoy/check/module.ts';
import { rules } from '../../envoy/check/rules.ts';
import { ownFile, version } from '../../common/home.ts';
import { effectiveBootstrap, serverClusters } from './effective.ts';
import { type Send, jsonOf, summaryOf } from './exchange.ts';
import type { Findings } from './finding.ts';
import { redact } from './redact.ts';
import { type SymptomId, symptoms } from './symptoms.ts';

/** What it answered, for the support archive. */
export interface AdminPages {
  readonly serverInfo: unknown;
  readonly configuration: unknown;
  readonly clusters: string;
  readonly stats: string;
}

const ofEnvoy = Object.entries(symptoms)
  .filter(([, { area }]) => area === 'envoy')
  .map(([id]) => id as SymptomId);

/** @param admin its origin; undefined: it is not known */
export async function probeEnvoy(
  admin: string | undefined,
  send: Send,
  findings: Findings,
): Promise<AdminPages | undefined> {
  if (admin === undefined) {
    findings.unjudged(ofEnvoy, 'name the admin address of Envoy with --admin');
    return undefined;
  }
  const sent = `GET ${admin}/server_info`;
  const read = async (path: string): Promise<string> => (await send(admin + path)).text;
  try {
    const info = await send(`${admin}/server_info`);
    const serverInfo = jsonOf(info.text) as { version?: unknown } | undefined;
    if (info.status !== 200 || typeof serverInfo?.version !== 'string') {
      findings.problem('admin', summaryOf(info), sent);
      findings.unjudged(ofEnvoy, 'the admin address does not answer as one');
      return undefined;
    }
    findings.ok('admin', `Envoy ${serverInfo.version}`, sent);
    const ready = await send(`${admin}/ready`);
    if (ready.status === 200) findings.ok('not-ready', ready.text, `GET ${admin}/ready`);
    else findings.problem('not-ready', `${ready.status} ${ready.text}`, `GET ${admin}/ready`);
    const pages = {
      serverInfo,
      configuration: jsonOf(await read('/config_dump')),
      clusters: await read('/clusters'),
      stats: await read('/stats'),
    };
    judgeStats(pages.stats, `GET ${admin}/stats`, findings);
    await judgeConfiguration(pages, admin, findings);
    return pages;
  } catch (error) {
    findings.problem('admin', (error as Error).message, sent);
    findings.unjudged(ofEnvoy, 'the admin address does not answer');
    return undefined;
  }
}

/** Counters and gauges, which say that something went wrong where they are not 0. */
const counters: readonly (readonly [SymptomId, RegExp])[] = [
  ['configuration-refused', /^wasmcustom\.sluice_config\.result=refused/],
  ['configuration-refused', /\.(?:update_rejected|config_fail|config_conflict)$/],
  ['keys', /\.jwks_fetch_failed$/],
];

function judgeStats(text: string, sent: string, findings: Findings): void {
  const stats = text.split('\n').flatMap((line) => {
    const [, name, value] = /^(\S+): (\d+)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(value)] as const];
  });
  for (const [symptom, pattern] of counters) {
    for (const [name, value] of stats) {
      if (value > 0 && pattern.test(name)) findings.problem(symptom, `${name}: ${value}`, sent);
    }
  }
  for (const [symptom] of counters) if (!findings.has(symptom)) findings.ok(symptom, 'nothing was counted', sent);
  const sum = (pattern: RegExp): number =>
    stats.reduce((total, [name, value]) => total + (pattern.test(name) ? value : 0), 0);
  const failures = sum(/^wasm\.remote_load_fetch_failures$/);
  if (failures > 0 && sum(/^wasm\..*\.active$/) === 0)
    findings.problem('module-failed', `wasm.remote_load_fetch_failures: ${failures}, and no VM is active`, sent);
}

/** A file of that name is what findings of rules are in. */
const dumpName = 'config_dump';

async function judgeConfiguration(pages: AdminPages, admin: string, findings: Findings): Promise<void> {
  const sent = `GET ${admin}/config_dump`;
  const bootstrap = effectiveBootstrap(pages.configuration);
  if (bootstrap === undefined) {
    findings.unjudged(['secrets', 'configuration', 'no-endpoint'], 'it shows no configuration');
    return;
  }
  const { places } = redact(bootstrap);
  if (places.length === 0) findings.ok('secrets', 'none was found', sent);
  else findings.problem('secrets', places.join(', '), sent);
  judgeClusters(pages.clusters, serverClusters(bootstrap), `GET ${admin}/clusters`, findings);
  const bytes = Buffer.from(JSON.stringify(bootstrap));
  let module;
  try {
    module = readModule(ownFile('build/plugin.wasm'), 'build/plugin.wasm', version);
  } catch {
    findings.unjudged(['configuration'], 'there is no build/plugin.wasm to judge it: run "npm run build"');
    return;
  }
  const found = await checkFiles([{ name: dumpName, bytes }], { module });
  for (const { severity, rule, path, message, mend } of found) {
    const { why } = rules[rule];
    const texts = { title: `rule ${rule}: ${rules[rule].asks}`, cause: why, nextStep: mend };
    findings.add('configuration', severity === 'error' ? 'problem' : 'warning', `${path}: ${message}`, sent, texts);
  }
  if (found.length === 0) findings.ok('configuration', 'no rule is broken', sent);
}

/** `weather::127.0.0.1:3001::health_flags::healthy` */
function judgeClusters(text: string, names: readonly string[], sent: string, findings: Findings): void {
  const healthy = new Set<string>();
  for (const [, name = '', flags = ''] of text.matchAll(/^(.+?)::\S+?::health_flags::(.*)$/gm)) {
    if (flags.trim() === 'healthy') healthy.add(name);
  }
  const empty = names.filter((name) => !healthy.has(name));
  if (empty.length === 0) findings.ok('no-endpoint', `${names.length} clusters of servers have one`, sent);
  else findings.problem('no-endpoint', empty.join(', '), sent);
}
