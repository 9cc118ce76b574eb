import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Io } from '../../cli/io.ts';
import { rollback } from '../../cli/rollback/command.ts';
import { freePort } from '../free-ports.ts';
import { type LiveServer, folders, startLive, temporaryFolder, write } from './support.ts';

async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    interactive: false,
    env,
  };
  const code = await rollback.run(args, io);
  return { code, ...said };
}

const publishToken = 'publishers-only-0123456789';

async function twoVersions(): Promise<LiveServer> {
  const where = folders();
  const entry = (name: string): object => ({ servers: [{ name, url: 'http://a.example/mcp', prefix: `${name}_` }] });
  write(where, 'edge', entry('a'));
  const server = await startLive(where, { publishToken });
  write(where, 'edge', entry('b'));
  await server.live.directory.refresh();
  return server;
}

describe('sluice rollback', () => {
  test('lists versions, goes back, and says until when', async () => {
    const server = await twoVersions();
    const env = { SLUICE_PUBLISH_TOKEN: publishToken };
    const list = await run(['edge', '--list', '--server', server.url], env);
    expect(list).toMatchObject({ code: 0, err: '' });
    expect(list.out).toMatch(/^\* {4}2 {2}[-\d]+ [:\d]+ {2}edit {4}sluice 0\.1\.0 {2}[-0-9a-f]{33}\n {5}1 /);

    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, `ci ${publishToken}\n`);
    const back = await run(['edge', '--server', server.url, '--token-file', file]);
    expect(back).toEqual({ code: 0, err: '', out: 'edge is at version 1 (sluice 0.1.0) until its file is edited\n' });
    expect((await run(['edge', '--list', '--server', server.url], env)).out).toMatch(
      /\n\* {4}1 .*\n\* rolled back: the file is not taken until it is edited\n$/,
    );
    const json = await run(['edge', '--to', '2', '--json', '--server', server.url], env);
    expect(JSON.parse(json.out)).toMatchObject({ event: 'rolled back', gateway: 'edge', version: { generation: 2 } });
    expect(server.live.directory.get('edge')?.active?.kept.generation).toBe(2);
  });

  test.each([
    ['an unknown gateway', ['egde'], publishToken, 1, /there is no gateway "egde"; did you mean edge\?/],
    [
      'an unknown version',
      ['edge', '--to', '9'],
      publishToken,
      1,
      /there is no version 9 of the gateway edge; there are: 1, 2/,
    ],
    ['no token', ['edge'], '', 3, /a bearer token is needed here/],
    ['a wrong token', ['edge'], 'not-the-token-0123456789', 3, /one that allows publishing/],
  ])('is refused for %s', async (_what, args, token, code, message) => {
    const server = await twoVersions();
    const said = await run([...args, '--server', server.url], { SLUICE_PUBLISH_TOKEN: token });
    expect(said).toMatchObject({ code, out: '' });
    expect(said.err).toMatch(message);
  });

  test.each([
    ['no gateway', [], /takes the name of one gateway/],
    ['two gateways', ['a', 'b'], /takes the name of one gateway/],
    ['a list and a version', ['a', '--list', '--to', '1'], /--list changes nothing/],
    ['an unknown option', ['a', '--too', '1'], /Unknown option '--too'/],
    ['a server that is no URL', ['a', '--server', 'localhost'], /--server takes the URL of a plugin server/],
  ])('is wrong use with %s', async (_what, args, message) => {
    const said = await run(args);
    expect(said.code).toBe(2);
    expect(said.err).toMatch(message);
  });

  test('says that there is no server', async () => {
    const server = `http://127.0.0.1:${await freePort()}`;
    const said = await run(['edge', '--server', server, '--json']);
    expect(said).toMatchObject({ code: 3, err: '' });
    expect(JSON.parse(said.out)).toMatchObject({ event: 'error', message: expect.stringContaining(server) as string });
  });
});
