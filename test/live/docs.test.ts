// What docs/live.md asks a plugin server by hand, and what it answers. Its shell blocks are a recipe, which test/launcher runs.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { clone } from '../launcher/support.ts';
import { folders, startLive, write } from './support.ts';

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
