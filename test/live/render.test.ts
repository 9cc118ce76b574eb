// GET /render/<target>: what `sluice render` prints, of the gateways that a plugin server has.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { until } from '../e2e/until.ts';
import { type Answer, send } from '../plugin-server/client.ts';
import { token } from '../plugin-server/support.ts';
import { type LiveServer, folders, startLive, temporaryFolder, useKept, write } from './support.ts';

const configuration = { servers: [{ name: 'a', url: 'https://a.example/mcp', prefix: 'a_' }] };
const keep = useKept('edge', configuration);

async function serving(tokens = false): Promise<LiveServer & { gateways: string; state: string }> {
  const where = folders();
  keep(where);
  return Object.assign(await startLive(where, tokens ? { publishToken: token, tokensRequired: true } : {}), where);
}

const errorOf = ({ status, body }: Answer): { status: number; code: string; message: string } => ({
  status,
  ...(JSON.parse(body.toString()) as { error: { code: string; message: string } }).error,
});

async function printed(...argv: string[]): Promise<string> {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    interactive: false,
    env: {},
  };
  expect({ code: await main(['render', ...argv], io), err }).toEqual({ code: 0, err: '' });
  return out;
}

describe('/render', () => {
  test('is to the byte what the command prints', async () => {
    const { url, store } = await serving();
    const file = join(temporaryFolder(), 'sluice.yaml');
    writeFileSync(file, JSON.stringify(configuration));
    const version = store.newest('sluice', 'latest').version;
    const envoy = await send(url, '/render/envoy?listen=0.0.0.0:8080');
    expect(envoy).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/yaml', 'cache-control': 'no-store' },
    });
    expect(envoy.body.toString()).toBe(await printed('envoy', file, '--server', url, '--listen', '0.0.0.0:8080'));
    const inCluster = [
      '--server',
      'http://p.sluice.svc:8801',
      '--version',
      version,
      '--sha256',
      store.newest('sluice', 'latest').sha256,
    ];
    for (const target of ['wasmplugin', 'istio-services', 'envoy-gateway', 'kubernetes']) {
      const { body } = await send(url, `/render/${target}?gateway=edge&namespace=x&server=http://p.sluice.svc:8801`);
      expect(body.toString()).toBe(await printed(target, file, ...inCluster, '--namespace', 'x'));
    }
  });

  test('says what cannot be rendered, and why', async () => {
    const server = await serving();
    const asked = async (path: string): Promise<ReturnType<typeof errorOf>> => errorOf(await send(server.url, path));
    expect(await asked('/render/nginx')).toMatchObject({
      status: 404,
      code: 'unknown_target',
      message: expect.stringMatching(/there are: envoy, .*wasmplugin.*[a-z]$/) as string,
    });
    expect(await asked('/render/wasmplugn')).toMatchObject({
      code: 'unknown_target',
      message: expect.stringMatching(/; did you mean "wasmplugin"\?$/) as string,
    });
    expect(await asked('/render/envoy?gateway=egde')).toMatchObject({ status: 404, code: 'unknown_gateway' });
    expect(await asked('/render/envoy?parent=x')).toMatchObject({
      status: 400,
      code: 'bad_request',
      message: expect.stringContaining('parent is nothing for envoy') as string,
    });
    expect(await asked('/render/envoy?nonsense=x')).toMatchObject({
      status: 400,
      code: 'bad_request',
      message: expect.stringMatching(
        /there is no option "nonsense"; envoy has gateway, server, listen, admin, authorities$/,
      ) as string,
    });
    expect(await asked('/render/kubernetes?namspace=x')).toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/; did you mean "namespace"\?$/) as string,
    });
    expect(await asked('/render/envoy?server=ftp://x')).toMatchObject({ status: 400, code: 'bad_request' });
    expect(await asked('/render/envoy?listen=a&listen=b')).toMatchObject({ status: 400, code: 'bad_request' });
    expect(await asked('/render/wasmplugin')).toMatchObject({
      status: 422,
      code: 'not_rendered',
      message: expect.stringContaining("127.0.0.1 is the gateway's own pod") as string,
    });
    write(server, 'other', configuration);
    const names = 'there are: edge, other';
    await until('there are two', async () => (await send(server.url, '/render/envoy')).body.includes(names));
  });

  test('is for who may look at gateways', async () => {
    const { url } = await serving(true);
    expect(errorOf(await send(url, '/render/envoy'))).toMatchObject({ status: 401, code: 'token_required' });
    const headers = { authorization: `Bearer ${token}` };
    expect(await send(url, '/render/envoy', { headers })).toMatchObject({ status: 200 });
  });
});
