// What `npm ci` leaves where it is told to end; npm itself is a stand-in.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../e2e/until.ts';
import { clone, isAlive, temporaryFolder } from './support.ts';

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a clone whose dependencies are being installed ends by %s, and npm with all that it runs does',
  async (signal) => {
    const folder = temporaryFolder();
    for (const path of ['bin', 'scripts/install.mjs', 'common/node-version.mjs']) {
      cpSync(join(clone, path), join(folder, path), { recursive: true });
    }
    mkdirSync(join(folder, 'cli'));
    writeFileSync(join(folder, 'cli/main.ts'), '');
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'package-lock.json'), '{"packages":{"node_modules/a":{"version":"1.0.0"}}}');
    const tools = join(folder, 'tools');
    mkdirSync(tools);
    const started = join(folder, 'started');
    const script = `echo $PPID $$ > ${started}.new; mv ${started}.new ${started}; exec sleep 600`;
    writeFileSync(join(tools, 'npm'), `#!/bin/sh\nsh -c '${script}'\nexit 1\n`);
    chmodSync(join(tools, 'npm'), 0o755);

    const child = spawn(process.execPath, [join(folder, 'bin/sluice.mjs'), '--help'], {
      env: { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` },
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    await until('npm runs', () => existsSync(started));
    const pids = readFileSync(started, 'utf8').trim().split(' ').map(Number);
    child.kill(signal);
    expect(await exit).toEqual([null, signal]);
    await until('nothing is left', () => !pids.some(isAlive));
  },
);
