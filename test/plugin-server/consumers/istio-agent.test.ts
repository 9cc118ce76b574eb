import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ArtifactStore, loadArtifact } from '../../../plugin-server/index.ts';
import { clone } from '../../launcher/support.ts';
import { moduleWith } from '../modules.ts';
import { startServer } from '../support.ts';
import { fetchAsAgent } from './istio-agent.ts';

const shipped = loadArtifact('sluice', '1.0.0', readFileSync(join(clone, 'build/plugin.wasm')));
const older = loadArtifact('sluice', '0.9.0', moduleWith('older'));
const { sha256 } = shipped;

describe("Istio's agent", () => {
  test.each([
    ['the module', '1.0.0/plugin.wasm'],
    ['gzip', '1.0.0/plugin.wasm.gz'],
    ['a tar', '1.0.0/plugin.tar'],
    ['a tar.gz', '1.0.0/plugin.tar.gz'],
    ['a range', '^1/plugin.wasm'],
    ['the latest', 'latest/plugin.tar.gz'],
  ])('loads %s at its first try', async (_form, path) => {
    const { url } = await startServer({ artifacts: [older, shipped] });
    const module = await fetchAsAgent(`${url}/plugins/sluice/${path}`, { sha256 });
    expect(module).toEqual(shipped.bytes);
  });

  test('refuses another module than the one that is pinned', async () => {
    const { url } = await startServer({ artifacts: [older] });
    await expect(fetchAsAgent(`${url}/plugins/sluice/latest/plugin.wasm`, { sha256 })).rejects.toThrow('has checksum');
  });

  test('does not try again what is not there: the answer says what is', async () => {
    const { url } = await startServer({ artifacts: [shipped] });
    const missing = fetchAsAgent(`${url}/plugins/sluice/1.0.1/plugin.wasm`);
    await expect(missing).rejects.toThrow('failed after 1 attempts, last error: status code 404');
  });

  test('tries a damaged version again, and loads it when it was repaired', async () => {
    const store = new ArtifactStore([older]);
    store.addDamage({ name: 'sluice', version: '1.0.0', sha256, reason: 'for this test' });
    let asked = 0;
    const { url } = await startServer({
      artifacts: store,
      accessLog: () => {
        if (++asked === 2) void store.publish(shipped);
      },
    });
    const module = await fetchAsAgent(`${url}/plugins/sluice/1.0.0/plugin.wasm`, { sha256, backoff: 5 });
    expect(module).toEqual(shipped.bytes);
    expect(asked).toBe(3);
  });

  test('outlives a server that is not there yet', async () => {
    // Whoever holds the port meanwhile breaks off each connection, as a proxy without an upstream does.
    const holder = createServer((_request, response: ServerResponse) => response.destroy()).listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const fetched = fetchAsAgent(`http://127.0.0.1:${port}/plugins/sluice/1.0.0/plugin.wasm`, { sha256, backoff: 100 });
    onTestFinished(() => void fetched.catch(() => undefined));
    await once(holder, 'request');
    holder.close();
    holder.closeAllConnections();
    await once(holder, 'close');
    await startServer({ artifacts: [shipped], port });
    expect(await fetched).toEqual(shipped.bytes);
  });
});
