import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArtifactStore, type RunningPluginServer, loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { serve } from '../../cli/serve/command.ts';
import { realTool } from '../real-tools.ts';
import { moduleWith } from './modules.ts';
import { publishing, token } from './support.ts';

const root = new URL('../../', import.meta.url);
const docs = await readFile(new URL('docs/plugin-server.md', root), 'utf8');
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };

/** Where the documentation has its server. */
const documented = '127.0.0.1:8801';

let server: RunningPluginServer;
let directory: string;

beforeAll(async () => {
  const artifacts = new ArtifactStore([loadArtifact('sluice', version, moduleWith('documented'))]);
  server = await startPluginServer({ artifacts, publishing, host: '127.0.0.1', port: 0 });
  directory = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  await writeFile(join(directory, 'my-plugin.wasm'), moduleWith('mine'));
});

afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

/** What a block shows: each line that begins with `$ ` is typed, the others are the output of all of them. */
function session(block: string): { typed: string; shown: string } {
  const lines = block.trimEnd().split('\n');
  const typed = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  return { typed: typed.join('\n'), shown: lines.filter((line) => !line.startsWith('$ ')).join('\n') };
}

/** `…` stands for whatever differs from build to build. */
function pattern(shown: string): RegExp {
  const escaped = shown.split('…').map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[^]*')}$`);
}

/** The blocks that need nothing but Sluice, openssl and curl, and those that need a program of others: its name is in their fence. */
const blocksOf = (fence: string): string[] =>
  [...docs.matchAll(new RegExp(`^\`\`\`${fence}\\n([^]*?)^\`\`\`$`, 'gm'))].map((match) => match[1] ?? '');

const blocks = blocksOf('console');

async function check({ typed, shown }: { typed: string; shown: string }, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const { stdout, stderr } = await promisify(execFile)(
    'sh',
    ['-ec', typed.replaceAll(documented, new URL(server.url).host)],
    {
      cwd: directory,
      env: { ...process.env, NO_PROXY: '127.0.0.1', TOKEN: token, ...env },
    },
  );
  const said = `${stdout}${stderr}`.replaceAll('\r\n', '\n').replaceAll(new URL(server.url).host, documented).trimEnd();
  expect(said).toMatch(pattern(shown));
}

test.each(blocks.map(session))('$typed', (block) => check(block));

const cosign = realTool('cosign');

describe.skipIf(!cosign.isThere)('with the real cosign', () => {
  test.each(blocksOf('console cosign').map(session))('$typed', ({ typed, shown }) =>
    check(
      { typed: `cosign() { command "$COSIGN" "$@"; }\n${typed}`, shown },
      { COSIGN: cosign.program, HOME: directory, HTTPS_PROXY: 'http://127.0.0.1:9' },
    ),
  );
});

test('every command of the documentation is in a block that is run', () => {
  // The shell blocks are a recipe, which test/launcher runs.
  const commands = docs
    .replaceAll(/^```sh\n[^]*?^```$/gm, '')
    .split('\n')
    .filter((line) => /\bcurl -/.test(line));
  const run = blocks
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('$ ') && line.includes('curl'));
  expect(run).toEqual(commands);
});

test('the documentation and --help have the same options', () => {
  const optionsIn = (text: string): string[] => [...new Set(text.match(/--[a-z][a-z-]+/g) ?? [])].sort();
  const [, table = ''] = /\n(\| option[^]*?)\n\n/.exec(docs) ?? [];
  expect(optionsIn(table)).toEqual(optionsIn(serve.usage));
});

test('the commands of the documentation are ones that there are', () => {
  const commands = [...docs.matchAll(/\bnpx sluice serve(.*?)(?:&$|`)/gm)].map(([, args = '']) => args.trim());
  expect(commands.length).toBeGreaterThan(1);
  for (const args of commands) serve.parse(args.split(/\s+/).filter((each) => each !== ''));
});
