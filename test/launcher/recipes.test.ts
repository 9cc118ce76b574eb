// The recipes of docs/plugin-server.md and docs/live.md, from `mkdir` to an answering gateway: every line of every shell
// block of a page is run, in the order of the page, in a fresh copy of the clone. Only ports are other ones.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { freePorts } from '../free-ports.ts';
import { freshClone } from './fresh-clone.ts';
import { clone, describeWithEnvoy, envoyBinary, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 180_000 }); // a recipe starts ten programs, on a machine that may be busy

const documented = [8801, 10000, 9901, 3001, 3002];

interface Process {
  readonly pid: number;
  /** The id of its session: that of the shell that all of it began with. */
  readonly session: number;
  readonly command: string;
}

function processes(): Process[] {
  const rows = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,sess=,args='], { encoding: 'utf8' }).trim().split('\n');
  return rows.map((row) => {
    const [, pid, session, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? [];
    return { pid: Number(pid), session: Number(session), command };
  });
}

/**
 * Runs the shell blocks of a page to their end, in a shell with job control, as a person has it: there the end of a
 * job is the end of all its processes.
 */
async function run(page: string): Promise<string> {
  const ports = await freePorts(documented.map((_, index) => index));
  const withPorts = (text: string): string =>
    text.replaceAll(/\b\d{4,5}\b/g, (number) => String(ports[documented.indexOf(Number(number))] ?? number));
  const folder = freshClone(withPorts);
  const text = readFileSync(join(clone, 'docs', page), 'utf8');
  const script = [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block).join('\n');
  const tools = join(temporaryFolder(), 'bin');
  mkdirSync(tools);
  // Other tests run Envoys at the same time, and all have the base id 0 unless they are told otherwise.
  writeFileSync(join(tools, 'envoy'), `#!/bin/sh\nexec '${envoyBinary()}' "$@" --use-dynamic-base-id\n`);
  chmodSync(join(tools, 'envoy'), 0o755);

  const child = spawn('bash', ['-ec', `set -m\n${withPorts(script)}`], {
    cwd: folder,
    env: {
      ...process.env,
      PATH: `${tools}:${process.env['PATH'] ?? ''}`,
      NO_PROXY: '127.0.0.1',
      SLUICE_PUBLISH_TOKEN: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const started = (): Process[] => processes().filter(({ session }) => session === child.pid);
  onTestFinished(() => {
    for (const { pid } of started()) process.kill(pid, 'SIGKILL');
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (said += part));
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code, said).toBe(0);
  // The recipe ends what it started.
  await vi.waitFor(() => {
    expect(started()).toEqual([]);
  }, 20_000);
  return said;
}

describeWithEnvoy('every line of', () => {
  test('docs/plugin-server.md', async () => {
    const said = await run('plugin-server.md');
    expect(said).toMatch(/sha256 [0-9a-f]{64}/i);
    expect(said).toContain('{"name":"sluice","versions":[{"version":"0.1.0"');
    expect(said).toMatch(/^LIVE$/m);
    expect(said).toMatch(/"id":1,"result":.*"protocolVersion":"2025-11-25"/);
  });

  test('docs/live.md', async () => {
    const said = await run('live.md');
    expect(said).toMatch(/^LIVE$/m);
    expect(said).toMatch(/"id":1,"result":.*"protocolVersion":"2025-11-25"/);
    const lists = said.split('\n').filter((line) => line.includes('"tools":['));
    expect(lists[0]).toContain('everything_echo');
    expect(lists[0]).not.toContain('notes_add');
    expect(lists.at(-1)).toContain('notes_add');
    expect(said).toContain('did you mean');
    expect(said).toMatch(/envoy\.config\.cluster\.v3\.Cluster/);
  });
});
