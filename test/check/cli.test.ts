// The command, and every command line that docs/check.md shows.
import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { check as checkCommand } from '../../cli/check/command.ts';
import { bases, root } from './support.ts';

const page = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const good =
  'servers: [{ name: weather, url: "http://127.0.0.1:3001/mcp" }]\nsessions: { keys: [{ id: 1, env: KEY }] }\n';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-check-'));
  const write = (name: string, text: string): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  write('good.yaml', good);
  write('sluice.yaml', good);
  write('bad.yaml', `${good}lg: info\n`);
  write('gateways/edge/sluice.yaml', `module: { name: sluice, version: 0.1.0 }\n${good}`);
  write('gateways/inner/sluice.yaml', `module: { nam: sluice }\n${good}`);
  write('gateways/.hidden/sluice.yaml', 'x');
  write('empty/readme.md', '');
  const [wasmPlugins, routes] = bases['istio pair'].split(/^---\n(?=apiVersion: networking)/m);
  write('wasmplugin.yaml', wasmPlugins ?? '');
  write('routes.yaml', routes ?? '');
  write('authorization.yaml', /^```yaml\n([^]*?)^```$/m.exec(page('docs/authorization.md'))?.[1] ?? '');
  for (const shown of ['build', 'envoy', 'examples']) symlinkSync(new URL(shown, root), join(folder, shown));
  copyFileSync(new URL('build/plugin.wasm', root), join(folder, 'plugin.wasm'));
  copyFileSync(new URL('envoy/envoy.yaml', root), join(folder, 'envoy.yaml'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function check(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await main(['check', ...args], {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    interactive: false,
    env: { PATH: '' },
  });
  return { code, ...said };
}

const at = (name: string): string => join(folder, name);

describe('sluice check', () => {
  test('lists its options', async () => {
    const { code, out, err } = await check('--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const flag of ['module', 'envoy', 'as', 'names', 'virtual-server', 'json'])
      expect(out).toContain(`  --${flag} `);
  });

  test('checks what is shipped where nothing is named', async () => {
    const { code, out } = await check();
    expect(out).toContain('envoy/envoy.yaml:');
    expect(out).toMatch(/\n\d+ files? checked: \d+ warnings?\n$/);
    expect(code).toBe(0);
  });

  test('is content with what is good', async () => {
    expect(await check(at('good.yaml'))).toEqual({ code: 0, out: '1 file checked: nothing to object to\n', err: '' });
  });

  test('says what is wrong, where, and what to do', async () => {
    const { code, out, err } = await check(at('good.yaml'), at('bad.yaml'));
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out.split('\n')).toEqual([
      `${at('bad.yaml')}:3:1: error: lg: is not a member of this section; did you mean "log"? (plugin)`,
      '    docs/configuration.md lists the members and their values',
      '2 files checked: 1 error',
      '',
    ]);
  });

  test('says it as JSON', async () => {
    const { code, out, err } = await check('--json', at('bad.yaml'));
    expect({ code, err }).toEqual({ code: 1, err: '' });
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(events).toEqual([
      {
        event: 'problem',
        file: at('bad.yaml'),
        line: 3,
        column: 1,
        path: 'lg',
        severity: 'error',
        rule: 'plugin',
        message: 'is not a member of this section; did you mean "log"?',
        mend: 'docs/configuration.md lists the members and their values',
      },
      { event: 'checked', files: 1, errors: 1, warnings: 0 },
    ]);
  });

  test('takes a directory of live delivery', async () => {
    const { code, out } = await check(at('gateways'));
    expect(code).toBe(1);
    expect(out).toContain(
      `${join('gateways', 'inner', 'sluice.yaml')}:1:11: error: module.nam: is not a member of this section; did you mean "name"?`,
    );
    expect(out).toContain('2 files checked: 1 error');
  });

  test('does not let a file speak to the terminal (escape sequences, CWE-150)', async () => {
    writeFileSync(at('escape.yaml'), `${good}"\\e[2J\\n": 1\n`);
    const { out } = await check(at('escape.yaml'));
    expect(out).toContain(String.raw`\u001b[2J\n: is not a member`);
  });

  test.each([
    ['a file that is not there', ['nowhere.yaml'], 'there is no nowhere.yaml'],
    ['a directory without configurations', ['empty'], 'has no .yaml, .yml or .json'],
    ['an option that is none', ['--envy'], "'--envy'"],
    ['a module that is not there', ['--module', 'nowhere.wasm', 'good.yaml'], '--module: '],
    ['a module that is endless', ['--module', '/dev/zero', 'good.yaml'], '/dev/zero is not a file'],
    ['a file that is endless', ['/dev/zero'], '/dev/zero is not a file'],
  ])('%s is wrong use, in one line', async (_, args, why) => {
    const given = args.map((arg) => (/^\w/.test(arg) ? at(arg) : arg));
    const { code, out, err } = await check(...given);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.replaceAll(`${folder}/`, '')).toContain(why);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('errors are events where events are asked for', async () => {
    const { code, out, err } = await check('--json', '--module');
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(JSON.parse(out)).toMatchObject({ event: 'error' });
  });

  test('an Envoy that is asked for and is none is said', async () => {
    const no = at('no-envoy');
    writeFileSync(no, '#!/bin/sh\n');
    chmodSync(no, 0o755);
    const said = { out: '', err: '' };
    const code = await main(['check', '--envoy', at('envoy.yaml')], {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      interactive: false,
      env: { ENVOY_PATH: no },
    });
    expect({ code, out: said.out }).toEqual({ code: 3, out: '' });
    expect(said.err).toContain('not Envoy');
  });
});

describe('docs/check.md', () => {
  const docs = readFileSync(new URL('docs/check.md', root), 'utf8');
  const blocks = [...docs.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const sessions = blocks
    .flatMap((block) => block.split(/^(?=\$ )/m))
    .map((session) => {
      const [typed = '', ...shown] = session.trimEnd().split('\n');
      return { typed: typed.replace('$ ', ''), shown: shown.join('\n') };
    });
  const sluice = `'${process.execPath}' '${fileURLToPath(new URL('bin/sluice.mjs', root))}'`;

  /** `…` stands for whatever it may be. */
  function pattern(shown: string): RegExp {
    const escaped = shown.split('…').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    return new RegExp(`^${escaped.join('[^]*')}$`);
  }

  test.each(sessions)('$typed', async ({ typed, shown }) => {
    const command = typed.replaceAll('npx sluice', sluice);
    const { stdout, code = 0 }: { stdout: string; code?: number } = await promisify(execFile)('sh', ['-c', command], {
      cwd: folder,
    }).catch((error: unknown) => error as { stdout: string; code?: number });
    expect(stdout.trimEnd()).toMatch(pattern(shown));
    expect([0, 1]).toContain(code);
    for (const [, args = ''] of typed.matchAll(/npx sluice check(.*)$/g)) {
      expect(() => checkCommand.parse(args.split(' ').filter((arg) => arg !== ''))).not.toThrow();
    }
  });

  test('lists the exit codes that commands have', () => {
    const listed = [...docs.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
    expect(listed).toEqual([0, 1, 2, 3]);
  });
});
