// The official conformance suite, as a program. Its report for people says less than its files: those are read.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The revisions of the era with sessions, and the one without. */
export const revisions = ['2025-06-18', '2025-11-25'] as const;
export const stateless = '2026-07-28';

/** What one check found. */
export interface Check {
  readonly id: string;
  /** `FAILURE` and `WARNING` are what a server should not have; `INFO` says that it does not have to be otherwise. */
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
  /** What was seen: results, statuses, counts. */
  readonly details?: unknown;
}

/** The checks of each scenario, by its name. */
export type Findings = ReadonlyMap<string, readonly Check[]>;

const program = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));
const oldNode = new URL('old-node.mjs', import.meta.url).href;

/** Per scenario, ms: one that waits for what never comes ends here. */
const timeout = 10_000;

/**
 * Runs all scenarios of the revision.
 * @param url its host has to be `localhost`: one scenario is skipped else
 * @throws Error with what the suite said, where it did not come to its end
 */
export async function runSuite(url: string, revision: string): Promise<Findings> {
  return run(url, ['--suite', 'all', '--spec-version', revision]);
}

/** The same of these scenarios alone, all at once: those of extensions belong to no revision. */
export async function runScenarios(url: string, scenarios: readonly string[]): Promise<Findings> {
  const found = await Promise.all(scenarios.map((scenario) => run(url, ['--scenario', scenario], 3 * timeout)));
  return new Map(found.flatMap((findings) => [...findings]));
}

async function run(url: string, which: readonly string[], most = timeout): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const limit = ['--timeout', String(most)];
    const args = ['--import', oldNode, program, 'server', '--url', url, ...which, ...limit, '--output-dir', folder];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    await new Promise((resolve) => child.once('close', resolve));
    if (!said.includes('=== SUMMARY ===') && !said.includes('Passed: '))
      throw new Error(`the suite broke off: ${said}`);
    return new Map(readdirSync(folder).map((run) => [scenarioOf(run), checksIn(join(folder, run))]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param run `server-ping-2026-11-29T15-35-15-108Z` */
const scenarioOf = (run: string): string => run.replace(/^server-(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$/, '$1');

const checksIn = (folder: string): Check[] => JSON.parse(readFileSync(join(folder, 'checks.json'), 'utf8')) as Check[];
