import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { main } from '../../cli/main.ts';
import type { Io } from '../../cli/io.ts';
import { start } from '../../cli/start/command.ts';
import { stopSignals } from '../../cli/start/signals.ts';
import { clone } from './support.ts';

async function sluice(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    interactive: false,
    env: {},
  };
  return { code: await main(argv, io), ...said };
}

describe('sluice', () => {
  test('lists every command, asked or not', async () => {
    const help = await sluice('help');
    expect(help).toMatchObject({ code: 0, err: '' });
    for (const name of ['start', 'serve', 'publish', 'check', 'help'])
      expect(help.out).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'));
    expect(await sluice()).toEqual(help);
    expect(await sluice('--help')).toEqual(help);
  });

  test.each([
    ['load', 'x.tar', '--into', ''],
    ['serve', '--gateways', 'gateways', '--state='],
    ['import', 'x.wasm', '--into', ''],
    ['lock', 'http://127.0.0.1:1/mcp', '--out', ''],
    ['publish', 'x.wasm', '--name', 'x', '--version', '1.0.0', '--to', 'http://127.0.0.1:1', '--token-file', ''],
  ])('refuses an option that is empty, as a variable that is not set is: %s %s %s %s', async (...argv) => {
    const { code, err } = await sluice(...argv);
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringMatching(
        /: --[a-z-]+ is empty: give it a value; a variable that is not set has none/,
      ) as string,
    });
  });

  test('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
    expect(await sluice('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test.each([
    ['strt', '; did you mean "start"?'],
    ['constructor', ''],
    ['__proto__', ''],
    ['--nonsense', ''],
  ])('refuses %s', async (name, hint) => {
    const answer = await sluice(name);
    expect(answer).toMatchObject({ code: 2, out: '' });
    expect(answer.err).toBe(
      `sluice: there is no command "${name}"; there are start, serve, publish, import, bundle, load, rollback, check, lock, doctor, render, keygen, help${hint}\n`,
    );
  });
});

describe('sluice start', () => {
  test('lists its options', async () => {
    const { code, out, err } = await sluice('start', '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const flags = ['server', 'prefix', 'config', 'listen', 'admin', 'workers', 'engine', 'host-mode', 'json'];
    for (const flag of flags) expect(out).toContain(`  --${flag} `);
  });

  test.each([
    [['--bogus'], /'--bogus' \(sluice start --help/],
    [['--lisen', 'x'], /'--lisen'; did you mean "listen"\? \(sluice start/],
    [['extra'], /extra/],
    [['--server', 'x'], /--server takes NAME=URL, not "x"/],
    [['--server', '=http://h/'], /--server takes NAME=URL/],
    [['--prefix', 'x'], /--prefix takes NAME=PREFIX/],
    [['--config', 'f', '--server', 'a=http://h/'], /--config and --server exclude each other/],
    [['--config', 'f', '--prefix', 'a=b'], /--config and --prefix exclude each other/],
    [['--listen', '10000'], /--listen: "10000" is not HOST:PORT/],
    [['--admin', 'x:99999'], /--admin: "x:99999" is not HOST:PORT/],
    [['--workers', '0'], /--workers takes a number from 1 to 999/],
    [['--workers', 'two'], /--workers takes a number/],
    [['--engine', 'nginx'], /--engine takes auto\|envoy\|embedded, not "nginx"/],
    [['--host-mode', 'pear'], /--host-mode takes hold\|pair\|headers/],
    [['--config', '/nonexistent.yaml'], /--config: /],
    [['--config', ''], /--config is empty: give it a value/],
  ])('%j is wrong use, in one line', async (args, why) => {
    const { code, out, err } = await sluice('start', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(why);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test('tells errors as events where events are asked for', async () => {
    const { code, out, err } = await sluice('start', '--json', '--workers', '0');
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(JSON.parse(out)).toMatchObject({ event: 'error', message: expect.stringContaining('--workers') as string });
  });

  test('reads its options', () => {
    const args =
      '--server a=http://h/?x=1 --server b=https://i/ --prefix a= --listen [::1]:0 --admin localhost:1 --workers 8 --engine embedded';
    expect(start.parse(args.split(' '))).toEqual({
      config: undefined,
      servers: [
        { name: 'a', url: 'http://h/?x=1' },
        { name: 'b', url: 'https://i/' },
      ],
      rests: [],
      prefixes: new Map([['a', '']]),
      listen: { host: '::1', port: 0 },
      admin: { host: 'localhost', port: 1 },
      workers: 8,
      engine: 'embedded',
    });
  });
});

test('stopSignals gives the signals back, after the echo of one that came', async () => {
  const count = (): number => process.listenerCount('SIGTERM');
  const before = count();
  stopSignals(() => undefined).release();
  expect(count()).toBe(before);

  const kill = vi.fn();
  const { stop, release } = stopSignals(kill);
  process.emit('SIGTERM');
  expect(stop.aborted).toBe(true);
  release();
  expect(count()).toBe(before + 1);
  process.emit('SIGTERM');
  expect(kill).not.toHaveBeenCalled();
  await vi.waitFor(() => {
    expect(count()).toBe(before);
  });
});
