// docs/embedded.md promises commands: their options exist, and the debugger's is run.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { start } from '../../cli/start/command.ts';
import { clone } from './support.ts';

const text = readFileSync(join(clone, 'docs/embedded.md'), 'utf8');
const commands = [...text.matchAll(/^```sh\n([^`]*)^```$/gm)].map(([, block = '']) => block.trim());

test('has the commands that are run below', () => {
  expect(commands).toEqual([
    'npx sluice start --engine embedded',
    'node --inspect-brk bin/sluice.mjs start --engine embedded',
    // test/launcher/debug-build.test.ts runs these.
    'npm run build -- --debug\nSLUICE_MODULE=build/debug/plugin.wasm node --inspect bin/sluice.mjs start --engine embedded --workers 1',
  ]);
  expect(start.parse(['--engine', 'embedded', '--workers', '1'])).toMatchObject({ engine: 'embedded', workers: 1 });
});

test('a debugger can be attached to the command itself', async () => {
  const args = ['--inspect=127.0.0.1:0', 'bin/sluice.mjs', 'start', '--help'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: clone });
  expect(stderr).toContain('Debugger listening');
  expect(stdout).toContain('--engine auto|envoy|embedded');
});
