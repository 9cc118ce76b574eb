// docs/air-gap.md, every line of it: outside in a clone, inside in a network namespace that has no way out, where there is
// Node and nothing of npm, with a real Envoy.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { freshClone } from '../launcher/fresh-clone.ts';
import { clone, describeWithEnvoy, envoyBinary, temporaryFolder } from '../launcher/support.ts';
import { runs } from './support.ts';

vi.setConfig({ testTimeout: 600_000 });

const page = readFileSync(join(clone, 'docs/air-gap.md'), 'utf8');

/** The shell blocks of a part of the page, from a heading of the second level to the next one. */
function blocks(from: string, to: string): string {
  const part = page.slice(page.indexOf(`\n## ${from}\n`), page.indexOf(`\n## ${to}\n`));
  return [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block).join('\n');
}

const outside = blocks('Outside', 'Inside');
const inside = blocks('Inside', 'What is in it');

/** What the machine inside has: no npm, no npx, no Envoy, no compiler. */
const programs =
  'bash sh node cat chmod cp curl cut date dirname env grep ip kill ln ls mkdir mv openssl printf readlink rm sed sha256sum sleep tar timeout tr uname wait wc';

const canUnshare = ((): boolean => {
  try {
    execFileSync('unshare', ['--map-root-user', '--net', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

function programsOnly(): string {
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin);
  const places = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
  for (const name of programs.split(' ')) {
    const place = places.find((each) => readdirSync(each).includes(name));
    if (name === 'node') symlinkSync(process.execPath, join(bin, name));
    else if (place !== undefined) symlinkSync(join(place, name), join(bin, name));
  }
  return bin;
}

test('every shell block of the page is on one of the two sides', () => {
  const all = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block).join('\n');
  expect(`${outside}\n${inside}`).toBe(all);
});

describe.skipIf(!canUnshare)('in a network without a way out', () => {
  describeWithEnvoy('every line of docs/air-gap.md', () => {
    test('makes a gateway that answers, upgrades it, and takes it back', async () => {
      const copy = freshClone();
      const tools = join(copy, 'tools');
      mkdirSync(tools);
      symlinkSync(envoyBinary(), join(tools, 'envoy'));
      // The packages are the clone's own: nothing may install others in their place.
      symlinkSync('/bin/false', join(tools, 'npm'));
      const env = { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` };
      await runs('bash', ['-ec', outside], { cwd: copy, env, maxBuffer: 16 << 20 });
      // The next release, which the page expects to be carried in later: another version of package and module.
      const description = join(copy, 'package.json');
      writeFileSync(description, readFileSync(description, 'utf8').replace('"version": "0.1.0"', '"version": "0.2.0"'));
      const module = join(copy, 'next.wasm');
      const bytes = readFileSync(join(copy, 'build/plugin.wasm'), 'latin1');
      const inModule = (text: string): string => Buffer.from(text, 'utf16le').toString('latin1');
      writeFileSync(module, bytes.replaceAll(inModule('0.1.0'), inModule('0.2.0')), 'latin1');
      const next = ['bundle', '--out', 'try/disk/sluice-0.2.0.tar', '--sign-key', 'try/release.pem'];
      await runs(process.execPath, ['bin/sluice.mjs', ...next], { cwd: copy, env: { ...env, SLUICE_MODULE: module } });

      const there = temporaryFolder();
      await runs('cp', ['-r', join(copy, 'try/disk'), join(copy, 'try/release.pub'), there]);
      writeFileSync(
        join(there, 'script'),
        [
          `export PATH='${programsOnly()}'`,
          'set -m',
          'ip link set lo up',
          inside,
          'echo "LINKS $(ip -o link | wc -l) ROUTES $(ip route | wc -l)"',
          'kill $(jobs -p)',
        ].join('\n'),
      );
      // --kill-child and a namespace of processes: whatever happens, all that it started ends with it.
      const child = spawn(
        'unshare',
        ['--map-root-user', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash', '-e', 'script'],
        {
          cwd: there,
          env: { PATH: process.env['PATH'], HOME: there },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (part: string) => (said += part));
      }
      const [code] = (await once(child, 'close')) as [number | null];
      const log = (name: string): string => readFileSync(join(there, name), 'utf8');
      expect(code, said).toBe(0);
      expect(said).toContain('Signature Verified Successfully');
      expect(said).toMatch(/sluice-0\.1\.0 {2}Sluice 0\.1\.0, Envoy 1\.\d+\.\d+, \d+ files/);
      expect(said).toMatch(/^sluice\/0\.1\.0 {2}\d+ bytes/m);
      expect(said).toMatch(/^LIVE$/m);
      expect(said).toMatch(/"id":1,"result":.*"protocolVersion":"2025-11-25"/);
      // The second one in the same session, after an upgrade and the way back.
      expect(said.match(/"id":2,"result":.*"notes_add"/g), said).toHaveLength(2);
      expect(said).toContain('"version":"0.2.0"');
      expect(said).toContain('"rolledBack":true');
      expect(said).toContain('LINKS 1 ROUTES 0');
      expect(log('serve.log')).not.toMatch(/"level":"(?:error|fatal)"/);
    });
  });
});
