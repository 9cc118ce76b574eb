import { type IncomingMessage, Agent, get } from 'node:http';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type PluginServerOptions,
  type RunningPluginServer,
  createPluginServer,
  loadArtifact,
  startPluginServer,
} from '../../plugin-server/index.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';

/** More than all socket buffers on the way can hold, so that the rest waits until the client reads. */
const large = loadArtifact('large', '1.0.0', moduleWith(Buffer.alloc(32 * 1024 * 1024)));
const module = '/plugins/large/1.0.0/plugin.wasm';

let server: RunningPluginServer | undefined;

async function start(options: Partial<PluginServerOptions> = {}): Promise<RunningPluginServer> {
  server = await startPluginServer({ artifacts: [large], host: '127.0.0.1', port: 0, ...options });
  return server;
}

afterEach(async () => {
  await server?.close();
});

/** Begins a download and does not read its body. */
function beginDownload(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url + module, { agent: false }, resolve).on('error', reject);
  });
}

async function readAll(response: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of response) length += (chunk as Buffer).length;
  return length;
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

function closed(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve));
}

describe('starting', () => {
  test('the url has the port that was taken', async () => {
    const { url } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await send(url, '/healthz')).status).toBe(200);
  });

  test('a port that is taken is one clear line', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startPluginServer({ artifacts: [large], host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'port_taken',
      message: `127.0.0.1:${port} is taken by another process; stop it or listen on another port`,
    });
    other.close();
  });

  test('an address of another machine is no address of this one', async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737).
    await expect(startPluginServer({ artifacts: [], host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'address_unavailable',
    });
  });

  test('two artifacts at one address are refused before anything listens', async () => {
    await expect(startPluginServer({ artifacts: [large, large], host: '127.0.0.1', port: 0 })).rejects.toMatchObject({
      code: 'duplicate_artifact',
    });
  });
});

describe('closing', () => {
  test('lets a download finish that is being read slowly', async () => {
    const { url, close } = await start();
    const download = await beginDownload(url);
    const closing = close();
    await delay(50);
    expect(await readAll(download)).toBe(large.bytes.length);
    await closing;
  });

  test('ends a download that is not read, at the deadline', async () => {
    const { url, close } = await start({ drainTimeout: 100 });
    const download = await beginDownload(url);
    const began = performance.now();
    await close();
    expect(performance.now() - began).toBeGreaterThanOrEqual(95);
    await expect(readAll(download)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('ends connections that wait: kept alive, silent, or in the middle of a request', async () => {
    const { url, close } = await start();
    const agent = new Agent({ keepAlive: true });
    const answered = await new Promise<IncomingMessage>((resolve) => get(`${url}/healthz`, { agent }, resolve));
    const keptAlive = answered.socket;
    await readAll(answered);
    const silent = await open(url);
    const halfway = await open(url);
    halfway.write('GET /healthz HTTP/1.1\r\nhost:');
    await delay(20);
    const ended = [keptAlive, silent, halfway].map(closed);
    await close();
    await Promise.all(ended);
  });

  test('does not wait for a client that went away', async () => {
    const { url, close } = await start({ drainTimeout: 60_000 });
    const download = await beginDownload(url);
    download.destroy();
    await close();
  });

  test('while a download finishes, a client that still comes is served and sent away', async () => {
    const { url, close } = await start();
    const download = await beginDownload(url);
    const closing = close();
    const late = await send(url, '/healthz', { headers: { connection: 'keep-alive' } });
    expect(late.status).toBe(200);
    expect(late.headers.connection).toBe('close');
    // And load balancers are told not to send more.
    const readiness = await send(url, '/readyz');
    expect([readiness.status, readiness.body.toString()]).toEqual([503, expect.stringContaining('"draining"')]);
    await readAll(download);
    await closing;
    await expect(send(url, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('twice is as good as once', async () => {
    const { close } = await start();
    await Promise.all([close(), close()]);
    await close();
  });

  test('a server that was only injected into closes at once', async () => {
    const app = createPluginServer({ artifacts: [large], drainTimeout: 60_000 });
    expect((await app.inject('/healthz')).statusCode).toBe(200);
    await app.close();
  });
});
