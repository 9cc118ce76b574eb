// docs/live.md promises commands and answers: they are typed here, against a plugin server of its own.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { parseServe } from '../../scripts/serve/options.ts';
import { clone, describeWithEnvoy, envoyBinary } from '../launcher/support.ts';
import { folders, startLive, temporaryFolder, write } from './support.ts';

const docs = readFileSync(join(clone, 'docs/live.md'), 'utf8');

const blocksOf = (language: string): string[] =>
  [...docs.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);

const [configuration = ''] = blocksOf('yaml');

/** `…` stands for whatever differs from run to run. */
function pattern(shown: string): RegExp {
  const escaped = shown.split('…').map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[^]*')}$`);
}

test('the configuration is one that is taken, with nothing to be warned of', async () => {
  const where = folders();
  write(where, 'edge', configuration);
  const { live } = await startLive(where);
  expect(live.problems()).toEqual([]);
  expect(live.directory.get('edge')?.active?.kept.generation).toBe(1);
  expect((parse(configuration) as { module: object }).module).toEqual({ name: 'sluice', version: '^0.1' });
});

describe('asked by hand', () => {
  test.each(blocksOf('console'))('%#', async (block) => {
    const where = folders();
    // The first of the two servers has no cluster of its own here: the answers stay short.
    write(where, 'edge', { servers: [{ name: 'notes', url: 'http://127.0.0.1:3002/mcp', prefix: 'notes_' }] });
    const server = await startLive(where);
    const lines = block.trimEnd().split('\n');
    const typed = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
    const shown = lines.filter((line) => !line.startsWith('$ '));
    const script = typed.join('\necho\n').replaceAll('http://127.0.0.1:8801', server.url);
    const { stdout } = await promisify(execFile)('sh', ['-c', script], {
      env: { ...process.env, NO_PROXY: '127.0.0.1' },
    });
    const said = stdout.split('\n').filter((line) => line !== '');
    expect(said).toHaveLength(shown.length);
    for (const [index, line] of shown.entries()) expect(said[index]).toMatch(pattern(line));
  });
});

describe('the commands', () => {
  const commands = blocksOf('sh').flatMap((block) => block.trim().split('\n'));

  test('are these', () => {
    expect(commands.map((command) => command.split(' ').slice(0, 3).join(' '))).toEqual([
      'npx sluice serve',
      'envoy -c envoy/live.yaml',
      'openssl rand -base64',
      'npx sluice serve',
      ...Array<string>(3).fill('npx sluice rollback'),
    ]);
  });

  test('of the plugin server have options that there are', () => {
    for (const command of commands.filter((each) => each.startsWith('npx sluice serve'))) {
      expect(parseServe(command.split(' ').slice(3)).gateways).toBe('./gateways');
    }
  });

  test('for a token makes one that is taken', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'gateways/edge'), { recursive: true });
    const [command = ''] = commands.filter((each) => each.startsWith('openssl'));
    await promisify(execFile)('sh', ['-c', command], { cwd: folder });
    const where = { gateways: join(folder, 'gateways'), state: join(folder, 'state') };
    write(where, 'edge', configuration);
    const { live } = await startLive(where, { tokensRequired: true });
    expect(live.problems()).toEqual([]);
  });
});

describeWithEnvoy('the commands', () => {
  test('for Envoy is one that it takes', async () => {
    const [command = ''] = blocksOf('sh').filter((block) => block.startsWith('envoy '));
    const script = command.trim().replace('envoy ', `'${envoyBinary()}' --mode validate --disable-hot-restart `);
    const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: clone });
    expect(stdout).toContain('OK');
  });
});
