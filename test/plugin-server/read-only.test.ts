// A directory of --data that may not be written to: what is there is served, and whatever wants to write says why it cannot and
// what to do. The volume is one that is mounted read-only, which root may not write to either.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { moduleWith } from './modules.ts';

vi.setConfig({ testTimeout: 120_000 });

const readOnlyMount = (folder: string): string =>
  `mount --bind ${folder} ${folder} && mount -o remount,ro,bind ${folder}`;
const readOnly = readOnlyMount('data');
const namespaces = ['--map-root-user', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canMount =
  spawnSync('unshare', [...namespaces, 'sh', '-ec', readOnlyMount(tmpdir())], { stdio: 'ignore' }).status === 0;

/** Commands that run with this clone's module in `data`, as `a`, a token in `token` and `serve` to start a server; what they print. */
async function said(script: string): Promise<string> {
  const cwd = temporaryFolder();
  for (const folder of ['data', 'gateways/edge']) mkdirSync(join(cwd, folder), { recursive: true });
  copyFileSync(join(clone, 'build/plugin.wasm'), join(cwd, 'a-1.0.0.wasm'));
  writeFileSync(join(cwd, 'b-1.0.0.wasm'), moduleWith('b'));
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
    sluice import a-1.0.0.wasm --into data
  `;
  const { stdout } = await promisify(execFile)('unshare', [...namespaces, 'bash', '-c', `${before}${script}`], { cwd });
  return stdout;
}

describe.skipIf(!canMount)('a directory that is mounted read-only', () => {
  test('is served, and takes nothing in', async () => {
    const told = await said(`
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
        `${what} cannot be kept (EROFS); let the user of this server write to the directory of --data`,
      );
    expect(told).toContain('nothing is changed, as the new version cannot be kept (EROFS)');
    expect(told).toContain('module 200\ngateway 200\n');
  });
});
