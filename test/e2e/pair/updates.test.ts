// A and B replaced one after the other while calls run: module and configuration, upgrade and rollback, in both orders.
// Between the two steps they are of two versions, in two VMs.
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bothProtocols } from '../clients/raw.ts';
import { openSession } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { type Gateway, expectSound, startGateway } from '../gateway.ts';
import { type Calls, call } from '../proof/callers.ts';
import { type HashingServer, startHashingServer } from '../proof/hashing-server.ts';
import { makeSamples, randomness } from '../proof/samples.ts';
import { proofTimeout, scaled } from '../proof/scale.ts';
import { until } from '../until.ts';
import { type WasmFilter, httpFilters } from './filters.ts';

const names = ['one', 'two', 'three'] as const;
/** So that a pair in two VMs can serve them as well. */
const largest = 300_000;
/** Between the steps, ms. */
const pause = scaled(700, 3000);

type Part = 'sluice' | 'sluice-holder';
interface Version {
  readonly module: 'old' | 'new';
  /** To have another configuration: Envoy takes no notice of one that is the same. */
  readonly log: 'info' | 'warn';
}

const first: Version = { module: 'old', log: 'info' };
const changed: Version = { module: 'old', log: 'warn' };
const upgraded: Version = { module: 'new', log: 'warn' };
const orders: readonly (readonly [string, readonly Part[]])[] = [
  ['the decider first', ['sluice', 'sluice-holder']],
  ['the holder first', ['sluice-holder', 'sluice']],
];

describeGateway('a pair that is replaced while calls run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-updates-'));
  const servers = new Map<string, HashingServer>();
  const filters = new Map<Part, WasmFilter>();
  const digests = { old: '', new: '' };
  let gateway: Gateway;
  let generation = 0;

  beforeAll(async () => {
    for (const name of names) servers.set(name, await startHashingServer(name));
    copyFileSync(fileURLToPath(new URL('../../../build/plugin.wasm', import.meta.url)), join(folder, 'old.wasm'));
    // A custom section changes nothing but the digest.
    const custom = Buffer.from([0, 3, 1, 0x76, 0x32]);
    writeFileSync(join(folder, 'new.wasm'), Buffer.concat([readFileSync(join(folder, 'old.wasm')), custom]));
    for (const version of ['old', 'new'] as const) {
      digests[version] = createHash('sha256')
        .update(readFileSync(join(folder, `${version}.wasm`)))
        .digest('hex');
    }
    gateway = await startGateway({
      servers: names.map((name) => ({ name, url: servers.get(name)?.url ?? '' })),
      // A key of the configuration: one that an Envoy makes by itself does not outlive its module.
      plugin: { sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] }, limits: { handshakeTimeout: '30s' } },
      env: { SLUICE_KEY_1: Buffer.alloc(32, 7).toString('base64url') },
      adjust: (bootstrap) => {
        const parts = httpFilters(bootstrap);
        for (const [index, name] of (['sluice', 'sluice-holder'] as const).entries()) {
          filters.set(name, structuredClone(parts[index] ?? discovered(name)));
          publish(name, first);
          parts[index] = discovered(name);
        }
        Object.assign(bootstrap, { node: { id: 'test', cluster: 'test' } });
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([...servers.values()].map((server) => server.stop()));
    rmSync(folder, { recursive: true });
  });

  function discovered(name: Part): WasmFilter {
    return {
      name,
      config_discovery: {
        config_source: {
          path_config_source: { path: join(folder, `${name}.json`) },
          resource_api_version: 'V3',
        },
        type_urls: ['type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm'],
      },
    } as unknown as WasmFilter;
  }

  /** Writes a filter where Envoy watches for it; it takes a rename for a change. */
  function publish(name: Part, version: Version): string {
    const filter = structuredClone(filters.get(name)) as WasmFilter & {
      typed_config: { config: { configuration: { value: Record<string, unknown> } } };
    };
    const { config } = filter.typed_config;
    config.vm_config.vm_id = `sluice-${digests[version.module]}`;
    config.vm_config.code = { local: { filename: join(folder, `${version.module}.wasm`) } };
    config.configuration.value['log'] = version.log;
    const resource = { '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig', ...filter };
    const version_info = String(++generation);
    writeFileSync(join(folder, 'next'), JSON.stringify({ version_info, resources: [resource] }));
    renameSync(join(folder, 'next'), join(folder, `${name}.json`));
    return version_info;
  }

  /** How calls got to their servers, as far as the VMs that are there now have seen any. */
  async function waysTaken(): Promise<string[]> {
    const lines = (await gateway.prometheus()).split('\n');
    return lines.flatMap((line) => /^sluice_forwards_total\{way="(\w+)"\} [1-9]/.exec(line)?.[1] ?? []);
  }

  async function replace(name: Part, version: Version): Promise<void> {
    const counter = `extension_config_discovery.http_filter.${name}.config_reload`;
    const before = (await gateway.stats()).get(counter) ?? 0;
    publish(name, version);
    await until(`${name} is replaced`, async () => ((await gateway.stats()).get(counter) ?? 0) > before);
    await sleep(pause); // calls under this arrangement are the point
  }

  describe.each(orders)('%s', (_, order) => {
    it(
      'serves every call, and serves it right',
      async () => {
        let running = true;
        const more = (): boolean => running;
        const samples = makeSamples(60, names, largest, randomness(3));
        const load = bothProtocols.map(async (http): Promise<Calls> => {
          const { id } = await openSession(gateway.url, { http });
          return call({ url: gateway.url, http, sessionId: id, samples, concurrency: scaled(4, 16), more });
        });
        const ways: string[][] = [];
        try {
          for (const version of [changed, upgraded, first]) {
            for (const name of order) {
              await replace(name, version);
              ways.push(await waysTaken());
            }
          }
        } finally {
          running = false;
        }
        const found = await Promise.all(load);
        expect(found.flatMap(({ wrong }) => wrong)).toEqual([]);
        for (const { right } of found) expect(right).toBeGreaterThan(scaled(20, 500));
        // While they were of two modules, they were in two VMs. (What a VM counted goes with it.)
        expect(ways[2]).toContain('callout');
        expect(ways[4]).toContain('callout');
        await expectSound(gateway);
      },
      proofTimeout,
    );
  });
});
