// `sluice serve` and `sluice publish` as they are used together, in processes of their own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import type { Io } from '../../cli/io.ts';
import { publishAfter } from '../../cli/publish/command.ts';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';
import { token, writeTo } from './support.ts';

const module = moduleWith('published');
const { sha256 } = loadArtifact('sluice', '1.0.0', module);

interface Serving {
  readonly url: string;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Lines of JSON on stderr. */
  readonly log: string[];
  readonly exited: Promise<unknown[]>;
}

/** Runs `sluice serve`, with at most `blocks` of 512 bytes in a file that it writes. */
async function serve(args: readonly string[], env: Record<string, string> = {}, blocks?: number): Promise<Serving> {
  const sluice = [
    process.execPath,
    join(clone, 'bin/sluice.mjs'),
    'serve',
    '--json',
    '--listen',
    '127.0.0.1:0',
    ...args,
  ];
  const limited = ['-c', `ulimit -f ${blocks ?? 'unlimited'}; exec "$@"`, 'sh', ...sluice];
  const child = spawn('sh', limited, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = (await lines.next()) as IteratorResult<string, undefined>;
  if (line.done === true) throw new Error(`sluice serve ended: ${log.join('\n')}`);
  const event = JSON.parse(line.value) as { event: string; message?: string; pluginServer: string };
  if (event.event !== 'ready') throw new Error(event.message);
  return { url: event.pluginServer, signal: (name) => child.kill(name), log, exited };
}

/** Runs `sluice publish` in this process, and does not wait long between tries. */
async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    interactive: false,
    env,
  };
  return { code: await publishAfter(1).run(args, io), ...said };
}

async function files(): Promise<{ folder: string; data: string; file: string; tokens: string }> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  await writeTo(join(data, '.keep'), '');
  const file = await writeTo(join(folder, 'plugin.wasm'), module);
  const tokens = await writeTo(join(folder, 'tokens'), `# who may publish\nci ${token}\n`);
  return { folder, data, file, tokens };
}

function publication(file: string, to: string, version = '1.0.0'): string[] {
  return [file, '--name', 'sluice', '--version', version, '--to', to];
}

describe('publishing', () => {
  test('puts a module and its signature where a server has them after its restart', async () => {
    const { folder, data, file, tokens } = await files();
    const server = await serve(['--data', data, '--token-file', tokens]);
    const signature = await writeTo(join(folder, 'plugin.sig'), 'signature');
    const args = [...publication(file, server.url), '--token-file', tokens];
    expect(await run([...args, '--signature', signature])).toEqual({
      code: 0,
      out: `${server.url}/plugins/sluice/1.0.0/plugin.wasm\nsha256 ${sha256}\n`,
      err: '',
    });
    const again = await run([...args, '--json']);
    expect(JSON.parse(again.out)).toEqual({
      event: 'published',
      url: `${server.url}/plugins/sluice/1.0.0/plugin.wasm`,
      sha256,
      created: false,
    });
    server.signal('SIGTERM');
    expect(await server.exited).toEqual([0, null]);
    const { url } = await serve(['--data', data]);
    expect((await send(url, '/plugins/sluice/latest/plugin.wasm')).status).toBe(307);
    expect((await send(url, '/plugins/sluice/1.0.0/plugin.wasm.sig')).body.toString()).toBe('signature');
    // Without tokens it is a server to read from.
    const refused = await run([...publication(file, url, '2.0.0'), '--token-file', tokens]);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('the server has no token') as string });
  });

  test('takes its token from the environment, on both sides', async () => {
    const { data, file } = await files();
    const environment = { SLUICE_PUBLISH_TOKEN: token };
    const { url, log } = await serve(['--data', data], environment);
    expect((await run(publication(file, url), environment)).code).toBe(0);
    expect(log.join()).not.toContain(token);
  });

  test('says what the server refuses', async () => {
    const { folder, data, file, tokens } = await files();
    const { url } = await serve(['--data', data, '--token-file', tokens]);
    const args = ['--token-file', tokens];
    await run([...publication(file, url), ...args]);
    const other = await writeTo(join(folder, 'other.wasm'), moduleWith('other'));
    const text = await writeTo(join(folder, 'text.wasm'), 'text');
    expect(await run([...publication(other, url), ...args])).toMatchObject({
      code: 1,
      err: expect.stringContaining('a version is immutable') as string,
    });
    const json = await run([...publication(text, url, '2.0.0'), ...args, '--json']);
    expect(json).toMatchObject({ code: 1, err: '' });
    expect(JSON.parse(json.out)).toMatchObject({
      event: 'error',
      message: expect.stringContaining('it begins with') as string,
    });
    const environment = { SLUICE_PUBLISH_TOKEN: 'not-the-token-of-this-server' };
    expect(await run(publication(file, url), environment)).toMatchObject({ code: 3 });
    const strict = await run([...publication(file, url, '3.0.0'), ...args, '--strict']);
    expect(strict).toMatchObject({ code: 1, err: expect.stringContaining('missing malloc function') as string });
  });

  test.each([
    ['no file', [], 'publish takes one file'],
    ['two files', ['a', 'b'], 'publish takes one file'],
    ['no name', ['a', '--version', '1.0.0', '--to', 'http://127.0.0.1:1'], '--name is missing'],
    [
      'a path behind the server',
      publication('a', 'http://127.0.0.1:8801/plugins'),
      '--to takes the URL of a plugin server',
    ],
    ['credentials in the URL', publication('a', 'http://a:b@127.0.0.1:8801'), '--to takes the URL of a plugin server'],
    ['no token', publication(join(clone, 'package.json'), 'http://127.0.0.1:8801'), 'no token: use --token-file'],
    ['an option that there is not', ['--token', 'x'], "Unknown option '--token'"],
  ])('%s is wrong use', async (_what, args, message) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  test('tries a server again that is not there, or busy', async () => {
    const { file } = await files();
    let tries = 0;
    const flaky = createServer((request, response) => {
      request.resume();
      tries++;
      if (tries === 1) response.destroy();
      else if (tries === 2) response.writeHead(503).end('{"error":{"code":"busy","message":"busy"}}');
      else response.writeHead(201).end(JSON.stringify({ sha256, url: '/somewhere' }));
    }).listen(0, '127.0.0.1');
    await once(flaky, 'listening');
    const url = `http://127.0.0.1:${(flaky.address() as AddressInfo).port}`;
    const environment = { SLUICE_PUBLISH_TOKEN: token };
    expect((await run(publication(file, url), environment)).code).toBe(0);
    expect(tries).toBe(3);
    flaky.close();
    flaky.closeAllConnections();
    const gone = await run(publication(file, url), environment);
    expect(gone).toMatchObject({
      code: 3,
      err: expect.stringMatching(/ECONNREFUSED \(tried 5 times\); see whether the plugin server runs/) as string,
    });
  });
});

describe('a server that lacks something', () => {
  test('room: the publication is refused whole, and the server goes on', async () => {
    const { data, tokens } = await files();
    // As if the volume were full beyond 100 KiB a file.
    const { url } = await serve(['--data', data, '--token-file', tokens], {}, 200);
    const put = (version: string, body: Buffer) =>
      send(url, `/plugins/sluice/${version}/plugin.wasm`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body,
      });
    const refused = await put('1.0.0', moduleWith(Buffer.alloc(200_000)));
    expect(refused.status).toBe(507);
    expect(refused.body.toString()).toContain('does not fit in any more: its volume says EFBIG');
    expect((await send(url, '/plugins/sluice/1.0.0/plugin.wasm')).status).toBe(404);
    expect(await readdir(join(data, '.store/incoming'))).toEqual([]);
    expect(await readdir(join(data, '.store/blobs/sha256'))).toEqual([]);
    expect((await put('1.0.0', module)).status).toBe(201);
    expect((await send(url, '/plugins/sluice/1.0.0/plugin.wasm')).body).toEqual(module);
  });

  test('a token that could be guessed, or a file: it does not start, and shows no token', async () => {
    const { data, folder, tokens } = await files();
    await writeFile(tokens, '# mine\nci short\n');
    await expect(serve(['--data', data, '--token-file', tokens])).rejects.toThrow(
      `cannot use ${tokens}: line 2 has less than 16 characters`,
    );
    const missing = join(folder, 'missing');
    await expect(serve(['--data', data, '--token-file', missing])).rejects.toThrow(
      `cannot use ${missing}: it is not there`,
    );
    await expect(serve(['--data', data, '--tls-cert', tokens])).rejects.toThrow(
      '--tls-cert and --tls-key need each other',
    );
  });

  test('a plugin: it starts only where one may come', async () => {
    const { data, tokens } = await files();
    await expect(serve(['--data', data])).rejects.toThrow(`no plugin in ${data}`);
    const { url } = await serve(['--data', data, '--token-file', tokens]);
    expect((await send(url, '/plugins')).body.toString()).toBe('{"plugins":[]}\n');
  });
});

test('a mirror follows its peer, and keeps nothing but in memory', async () => {
  const { data, file, tokens } = await files();
  const origin = await serve(['--data', data, '--token-file', tokens]);
  await run([...publication(file, origin.url), '--token-file', tokens]);
  const mirror = await serve(['--peer', origin.url]);
  await vi.waitFor(
    async () => {
      expect((await send(mirror.url, '/plugins/sluice/1.0.0/plugin.wasm')).body).toEqual(module);
    },
    { timeout: 25_000, interval: 50 },
  );
  const readiness = JSON.parse((await send(mirror.url, '/readyz')).body.toString()) as object;
  expect(readiness).toMatchObject({ status: 'ready', peers: { peers: [{ url: origin.url, error: null }] } });
});

describe('TLS', () => {
  async function certificate(cert: string, key: string): Promise<string> {
    const pair = await generate([{ name: 'commonName', value: 'localhost' }]);
    await writeFile(cert, pair.cert);
    await writeFile(key, pair.private);
    return pair.fingerprint;
  }

  /** The fingerprint of what the server shows to a new connection. */
  async function shown(url: string): Promise<string | undefined> {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { fingerprint } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint.toLowerCase();
  }

  test('serves with the certificate of the files, and with the next one when they change', async () => {
    const { data, folder } = await files();
    await writeTo(join(data, 'sluice/1.0.0/plugin.wasm'), module);
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const first = await certificate(cert, key);
    const server = await serve(['--data', data, '--tls-cert', cert, '--tls-key', key]);
    expect(server.url).toMatch(/^https:/);
    expect(await shown(server.url)).toBe(first);
    const second = await certificate(cert, key);
    server.signal('SIGHUP');
    await vi.waitFor(async () => {
      expect(await shown(server.url)).toBe(second);
    });

    // Half of a new pair is no pair: the old one stays, and the log says why.
    await certificate(cert, join(folder, 'other.pem'));
    server.signal('SIGHUP');
    await vi.waitFor(() => {
      expect(server.log.join('\n')).toContain('certificate and key do not work together');
    });
    expect(await shown(server.url)).toBe(second);
    // Nor is what is cut off, or empty.
    const refusals = (): number => server.log.filter((line) => line.includes('do not work together')).length;
    for (const broken of [(await readFile(cert, 'utf8')).slice(0, 300), '']) {
      const before = refusals();
      await writeFile(cert, broken);
      server.signal('SIGHUP');
      await vi.waitFor(() => {
        expect(refusals()).toBe(before + 1);
      });
      expect(await shown(server.url)).toBe(second);
    }
    await rm(cert);
    execFileSync('mkfifo', [cert]);
    server.signal('SIGHUP');
    await vi.waitFor(() => {
      expect(server.log.join('\n')).toContain('it is not a file');
    });
    expect(await shown(server.url)).toBe(second);
    await rm(cert);
    server.signal('SIGHUP');
    await vi.waitFor(() => {
      expect(server.log.join('\n')).toContain('it is not there');
    });
    expect(await shown(server.url)).toBe(second);
    expect(server.log.join('\n')).not.toContain(await readFile(key, 'utf8'));
  });

  test('and plain HTTP do not mix', async () => {
    const { data, folder } = await files();
    await writeTo(join(data, 'sluice/1.0.0/plugin.wasm'), module);
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await certificate(cert, key);
    const { url } = await serve(['--data', data, '--tls-cert', cert, '--tls-key', key]);
    await expect(send(url.replace('https:', 'http:'), '/healthz')).rejects.toThrow();
    expect(await shown(url)).toBeDefined();
  });
});

test('tokens that would travel in the clear are warned of', async () => {
  const { data, tokens } = await files();
  const args = ['--data', data, '--token-file', tokens];
  const [inside, outside] = [await serve(args), await serve([...args, '--listen', '0.0.0.0:0'])];
  for (const server of [inside, outside]) {
    server.signal('SIGTERM');
    await server.exited;
  }
  expect(outside.log.join()).toContain('tokens travel in the clear');
  expect(inside.log.join()).not.toContain('in the clear');
});

test('tokens change while the server runs', async () => {
  const { data, file, tokens } = await files();
  const server = await serve(['--data', data, '--token-file', tokens]);
  const environment = { SLUICE_PUBLISH_TOKEN: 'the-next-token-of-this-server' };
  expect((await run(publication(file, server.url), environment)).code).toBe(3);
  await writeFile(tokens, environment.SLUICE_PUBLISH_TOKEN);
  server.signal('SIGHUP');
  await vi.waitFor(async () => {
    expect((await run(publication(file, server.url), environment)).code).toBe(0);
  });
  expect((await run(publication(file, server.url, '2.0.0'), { SLUICE_PUBLISH_TOKEN: token })).code).toBe(3);
});

test('the access log is lines of JSON on stderr, if it is wanted', async () => {
  const { data } = await files();
  await writeTo(join(data, 'sluice/1.0.0/plugin.wasm'), module);
  const [on, off] = [await serve(['--data', data]), await serve(['--data', data, '--access-log', 'off'])];
  for (const { url } of [on, off]) await send(url, '/healthz');
  for (const server of [on, off]) {
    server.signal('SIGTERM');
    await server.exited;
  }
  const requests = (lines: string[]): unknown[] =>
    lines.filter((line) => line.includes('"path"')).map((line) => JSON.parse(line) as unknown);
  expect(requests(on.log)).toMatchObject([{ method: 'GET', path: '/healthz', status: 200 }]);
  expect(requests(off.log)).toEqual([]);
});
