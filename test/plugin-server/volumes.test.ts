// Volumes that take nothing: what is there is served, whatever wants to write says why it cannot and what to do, and nothing is
// half written. One is mounted read-only, which root may not write to either; another one is full.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { bundleInto } from '../bundle/support.ts';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { moduleWith } from './modules.ts';

vi.setConfig({ testTimeout: 120_000 });

const readOnlyMount = (folder: string): string =>
  `mount --bind ${folder} ${folder} && mount -o remount,ro,bind ${folder}`;
const readOnly = readOnlyMount('data');
const namespaces = ['--map-root-user', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canMount =
  spawnSync('unshare', [...namespaces, 'sh', '-ec', readOnlyMount(tmpdir())], { stdio: 'ignore' }).status === 0;

/** Room for the module, the copy of it that gateways keep, and one more. */
const smallDisk = 'mount -t tmpfs -o size=2m none data; mkdir data/store';

/** What commands print that run in namespaces of their own, beside modules a, b and c, a gateway that runs a, and a token. */
async function said(script: string): Promise<string> {
  const cwd = temporaryFolder();
  for (const folder of ['data', 'gateways/edge']) mkdirSync(join(cwd, folder), { recursive: true });
  copyFileSync(join(clone, 'build/plugin.wasm'), join(cwd, 'a-1.0.0.wasm'));
  writeFileSync(join(cwd, 'b-1.0.0.wasm'), moduleWith('b'));
  writeFileSync(join(cwd, 'c-1.0.0.wasm'), moduleWith('c'.repeat(400_000)));
  writeFileSync(join(cwd, 'token'), 'a-token-for-tests-only');
  const configuration = {
    module: { name: 'a', version: '^1' },
    servers: [{ name: 's', url: 'http://127.0.0.1:1/mcp' }],
  };
  writeFileSync(join(cwd, 'gateways/edge/sluice.yaml'), JSON.stringify(configuration));
  const before = `
    ip link set lo up
    exec 2>&1
    sluice() { '${process.execPath}' '${clone}/bin/sluice.mjs' "$@"; }
    url=http://127.0.0.1:8801
    serve() {
      sluice serve --listen 127.0.0.1:8801 --access-log off "$@" > log 2>&1 &
      server=$!
      curl -s --retry 60 --retry-delay 1 --retry-connrefused $url/readyz
    }
    put() { curl -s -T "$1" -H "authorization: Bearer $(cat token)" "$url/plugins/$2"; }
  `;
  const { stdout } = await promisify(execFile)('unshare', [...namespaces, 'bash', '-c', `${before}${script}`], { cwd });
  return stdout;
}

describe.skipIf(!canMount)('a directory that is mounted read-only', () => {
  test('is served, and takes nothing in', async () => {
    const told = await said(`
      sluice import a-1.0.0.wasm --into data
      ${readOnly}
      sluice import b-1.0.0.wasm --into data; echo "import $?"
      serve --data data --token-file token
      curl -s -o /dev/null -w 'module %{http_code}\\n' $url/plugins/a/1.0.0/plugin.wasm
      curl -s -o /dev/null -w 'image %{http_code}\\n' $url/v2/a/manifests/1.0.0
      sluice publish b-1.0.0.wasm --name b --version 1.0.0 --to $url --token-file token; echo "publish $?"
      kill $server
    `);
    const why = 'the server may not write to the directory of --data; let its user do so, and start it again';
    expect(told).toContain(
      '--into: data cannot be written to: name a directory that this user may write to, or publish with',
    );
    expect(told).toContain('import 3\n');
    expect(told).toContain(`"publishing":"${why}"`);
    expect(told).toContain('module 200\nimage 200\n');
    expect(told).toContain(`nothing can be published here: ${why}`);
    expect(told).toContain('publish 3\n');
  });

  test('keeps no versions of gateways, which another directory can', async () => {
    const told = await said(`
      sluice import a-1.0.0.wasm --into data
      ${readOnly}
      sluice serve --listen 127.0.0.1:8801 --data data --gateways gateways; echo "serve $?"
      serve --data data --gateways gateways --state state
      kill $server
    `);
    expect(told).toMatch(
      /cannot keep versions of gateways and catalogs in data\/\.\w+ \(EROFS\); name a directory .* --state/,
    );
    expect(told).toContain('serve 3\n');
    expect(told).toContain('"gateways":{"ready":true,"count":1');
  });

  test('that became so while the server runs: publications and edits are refused, the rest is served', async () => {
    const told = await said(`
      sluice import a-1.0.0.wasm --into data
      serve --data data --token-file token --gateways gateways
      ${readOnly}
      put b-1.0.0.wasm b/1.0.0/plugin.wasm
      put token a/1.0.0/plugin.wasm.sig
      sed -i 's/"s"/"other"/' gateways/edge/sluice.yaml
      timeout 60 sh -c 'until grep -q "the edit is refused" log; do sleep 0.2; done'
      curl -s -o /dev/null -w 'module %{http_code}\\n' $url/plugins/a/1.0.0/plugin.wasm
      curl -s -o /dev/null -w 'gateway %{http_code}\\n' -H "authorization: Bearer $(cat token)" $url/gateways/edge
      kill $server
      cat log
    `);
    for (const what of ['b/1.0.0', 'a/1.0.0'])
      expect(told).toContain(
        `${what} cannot be kept (EROFS); see that the directory of --data is there, and let the user of this server write to it`,
      );
    expect(told).toContain('nothing is changed, as the new version cannot be kept (EROFS)');
    expect(told).toContain('module 200\ngateway 200\n');
  });
});

describe.skipIf(!canMount)('a disk that is full', () => {
  test('takes nothing in, in whatever way it comes, and is served; what waits is done when there is room', async () => {
    const { file } = await bundleInto(temporaryFolder());
    const told = await said(`
      ${smallDisk}
      sluice import a-1.0.0.wasm --into data/store
      serve --data data/store --token-file token --gateways gateways
      head -c 4m /dev/zero > data/filler
      find data -type f | sort > before
      sluice publish c-1.0.0.wasm --name c --version 1.0.0 --to $url --token-file token; echo "publish $?"
      sluice import c-1.0.0.wasm --into data/store; echo "import $?"
      sluice load '${file}' --into data/loaded; echo "load $?"
      sluice bundle --out data/bundle.tar; echo "bundle $?"
      sed -i 's/"s"/"other"/' gateways/edge/sluice.yaml
      timeout 60 sh -c 'until grep -q "the edit is refused" log; do sleep 0.2; done'
      find data -type f | sort | diff before - && echo 'nothing more is there'
      curl -s -o /dev/null -w 'module %{http_code}\\n' $url/plugins/a/1.0.0/plugin.wasm
      rm data/filler
      timeout 60 sh -c 'until grep "gateway edge: version 2 is given out" log; do sleep 0.2; done'
      sluice publish c-1.0.0.wasm --name c --version 1.0.0 --to $url --token-file token; echo "again $?"
      kill $server
      cat log
    `);
    const full = 'c/1.0.0 does not fit in any more: its volume says ENOSPC; remove old versions, or use a larger store';
    expect(told).toContain(`sluice publish: ${full}\npublish 3\n`);
    expect(told).toContain(`sluice import: ${full}\nimport 3\n`);
    expect(told).toContain(
      '--into: data/loaded does not fit (ENOSPC): make room there, or name a place on another disk\nload 3\n',
    );
    expect(told).toContain('--out: data/bundle.tar does not fit (ENOSPC): make room there');
    expect(told).toContain('bundle 3\n');
    expect(told).toContain('nothing is changed, as the new version cannot be kept (ENOSPC)');
    expect(told).toContain('nothing more is there\nmodule 200\n');
    expect(told).toContain('gateway edge: version 2 is given out');
    expect(told).toContain('again 0\n');
  });
});
