import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ArtifactStore, PeerSync, loadArtifact, openStore } from '../../plugin-server/index.ts';
import { temporaryFolder } from '../launcher/support.ts';
import { send } from './client.ts';
import { moduleWith } from './modules.ts';
import { collectedLog, startServer } from './support.ts';

const one = loadArtifact('sluice', '1.0.0', moduleWith('one'));
const two = loadArtifact('sluice', '2.0.0', moduleWith('two'));

/** Begins to follow `peers`, with waits that are short enough for a test. */
function follow(store: ArtifactStore, ...peers: string[]) {
  const { log, lines } = collectedLog();
  const sync = new PeerSync({ store, peers, log, interval: 10, longestWait: 20 });
  sync.start();
  onTestFinished(() => sync.stop());
  return { sync, lines };
}

/** A server that is no plugin server, or a bad one. */
async function impostor(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Lists one version and answers with these bytes when it is fetched. */
function offering(entry: object, bytes: Buffer, name = 'sluice'): Promise<string> {
  return impostor((request, response) => {
    if (request.url === '/plugins') response.end(JSON.stringify({ plugins: [{ name, versions: [entry] }] }));
    else response.end(bytes);
  });
}

describe('a server with a peer', () => {
  test('has what the peer has, signatures too, and what comes later, on its own disk', async () => {
    const theirs = new ArtifactStore([one]);
    await theirs.sign(one, Buffer.from('signature'));
    const { url } = await startServer({ artifacts: theirs });
    const data = temporaryFolder();
    const { store, close } = await openStore(data, { log: collectedLog().log });
    close();
    const { sync } = follow(store, url);
    await vi.waitFor(() => {
      expect(sync.states()).toMatchObject([{ url, synced: expect.any(String) as string, error: null }]);
    });
    await theirs.publish(two);
    await vi.waitFor(() => {
      expect(store.count).toBe(2);
    });
    await sync.stop();
    const again = await openStore(data, { log: collectedLog().log });
    again.close();
    const read = again.store.get('sluice', '1.0.0');
    expect(read.bytes).toEqual(one.bytes);
    expect(read.provenance.source).toBe(url);
    expect(again.store.signature(read)?.toString()).toBe('signature');
  });

  test('and the peer with it, come to have the same', async () => {
    const [a, b] = [new ArtifactStore([one]), new ArtifactStore([two])];
    const [serverA, serverB] = [await startServer({ artifacts: a }), await startServer({ artifacts: b })];
    follow(a, serverB.url);
    follow(b, serverA.url);
    await vi.waitFor(() => {
      expect([a.count, b.count]).toEqual([2, 2]);
    });
  });

  test('keeps its own bytes where the peer has others, and says so once', async () => {
    const other = loadArtifact('sluice', '1.0.0', moduleWith('other'));
    let asked = 0;
    const { url } = await startServer({ artifacts: [other, two], accessLog: () => asked++ });
    const store = new ArtifactStore([one]);
    const { sync, lines } = follow(store, url);
    await vi.waitFor(() => {
      expect(store.count).toBe(2);
      expect(sync.states()[0]?.conflicts).toEqual([expect.stringContaining(`the peer has ${other.sha256}`) as string]);
    });
    const soFar = asked;
    await vi.waitFor(() => {
      expect(asked).toBeGreaterThan(soFar + 3); // rounds later
    });
    expect(store.get('sluice', '1.0.0').bytes).toEqual(one.bytes);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('sluice/1.0.0 is there with other bytes') as string,
    ]);
  });

  test('repairs what is damaged', async () => {
    const { url } = await startServer({ artifacts: [one] });
    const store = new ArtifactStore([]);
    store.addDamage({ name: 'sluice', version: '1.0.0', sha256: one.sha256, reason: 'for this test' });
    follow(store, url);
    await vi.waitFor(() => {
      expect(store.get('sluice', '1.0.0').bytes).toEqual(one.bytes);
    });
    expect(store.damages).toEqual([]);
  });

  test('is not ready before it has heard of anything, and shows its peers', async () => {
    const { url: nowhere, close } = await startServer({ artifacts: [] });
    await close();
    const store = new ArtifactStore([]);
    const { sync } = follow(store, nowhere);
    const { url } = await startServer({ artifacts: store, peers: sync });
    await vi.waitFor(() => {
      expect(sync.states()[0]?.error).toContain('ECONNREFUSED');
    });
    const answer = await send(url, '/readyz');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      status: 'not ready',
      peers: { ready: false, peers: [{ url: nowhere, synced: null }] },
    });
    expect((await send(url, '/metrics')).body.toString()).toContain(`sluice_peer_in_step{peer="${nowhere}"} 0`);
    store.add(one);
    expect((await send(url, '/readyz')).status).toBe(200);
  });

  test('tells of a peer that is down once, and of its return', async () => {
    const { url, close } = await startServer({ artifacts: [one] });
    const store = new ArtifactStore([]);
    const { sync, lines } = follow(store, url);
    await vi.waitFor(() => {
      expect(store.count).toBe(1);
    });
    await close();
    await vi.waitFor(() => {
      expect(sync.states()[0]?.error).toContain('ECONNREFUSED');
    });
    await startServer({ artifacts: [one, two], port: Number(new URL(url).port) });
    await vi.waitFor(() => {
      expect(store.count).toBe(2);
      expect(sync.states()[0]?.error).toBeNull();
    });
    expect(lines.filter((line) => line.includes('cannot follow')).length).toBeLessThanOrEqual(2);
    expect(lines).toContain('info: the peer is in step again');
  });
});

describe('a peer that is not to be trusted', () => {
  const listed = { version: '1.0.0', size: one.bytes.length, sha256: one.sha256 };
  const text = Buffer.from('hello, this is text');

  test.each<[string, () => Promise<string>, string]>([
    [
      'answers with a page',
      () => impostor((_, response) => response.end('<html>')),
      'not the listing of a plugin server',
    ],
    ['answers with an error', () => impostor((_, response) => response.writeHead(500).end()), 'answered 500'],
    [
      'leads elsewhere',
      () => impostor((_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()),
      'unexpected redirect',
    ],
    ['has other bytes than it lists', () => offering(listed, two.bytes), 'its listing says'],
    ['sends more than it lists', () => offering(listed, Buffer.concat([one.bytes, text])), 'sends more than the'],
    [
      'lists what is no module',
      () => offering({ ...listed, size: text.length, sha256: loadSha(text) }, text),
      'no WebAssembly module',
    ],
    ['lists a path for a name', () => offering(listed, one.bytes, '../../etc'), 'is not a plugin name'],
    ['lists a path for a version', () => offering({ ...listed, version: '../1.0.0' }, one.bytes), 'is not a version'],
    ['lists a size beyond the limit', () => offering({ ...listed, size: 2 ** 40 }, one.bytes), 'not the listing'],
  ])('%s: nothing is taken, and it is told', async (_what, peer, reason) => {
    const store = new ArtifactStore([]);
    const { sync } = follow(store, await peer());
    await vi.waitFor(() => {
      expect(sync.states()[0]?.error).toContain(reason);
    });
    expect(store.count).toBe(0);
  });
});

function loadSha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
