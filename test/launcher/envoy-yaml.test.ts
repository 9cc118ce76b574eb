import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type Bootstrap, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import { loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { clone, describeWithEnvoy, envoyBinary } from './support.ts';

const file = join(clone, 'envoy/envoy.yaml');
const shipped = parse(readFileSync(file, 'utf8')) as Bootstrap;
const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };

describe('envoy.yaml', () => {
  test('fetches the version of this package', () => {
    const [filter] = shipped.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
    const { uri } = filter.typed_config.config.vm_config.code.remote.http_uri;
    expect(uri).toBe(`http://127.0.0.1:8801/plugins/sluice/${version}/plugin.wasm`);
  });

  test('listens on loopback only', () => {
    const addresses = [...readFileSync(file, 'utf8').matchAll(/socket_address: \{ address: ([^,]+),/g)];
    expect(addresses.length).toBeGreaterThan(3);
    for (const [, address] of addresses) expect(address).toBe('127.0.0.1');
  });

  /** The names of the contract's metrics as the module writes them, with the labels that have to come out. */
  test.each([
    [
      'wasmcustom.sluice_requests_total.method=tools/call.server=my-server.outcome=ok.end',
      'wasmcustom.sluice_requests_total',
      { method: 'tools/call', server: 'my-server', outcome: 'ok' },
    ],
    ['wasmcustom.sluice_upstream_ms.server=weather.end', 'wasmcustom.sluice_upstream_ms', { server: 'weather' }],
    ['wasmcustom.sluice_sessions_total.event=opened.end', 'wasmcustom.sluice_sessions_total', { event: 'opened' }],
    [
      'wasmcustom.sluice_list_cache_total.server=a.result=hit.end',
      'wasmcustom.sluice_list_cache_total',
      { server: 'a', result: 'hit' },
    ],
    ['wasmcustom.sluice_config.result=accepted.end', 'wasmcustom.sluice_config', { result: 'accepted' }],
    [
      'wasmcustom.sluice_errors_total.reason=parse_error.end',
      'wasmcustom.sluice_errors_total',
      { reason: 'parse_error' },
    ],
    [
      'wasmcustom.sluice_forwards_total.way=route.gateway=team-a.end',
      'wasmcustom.sluice_forwards_total',
      { way: 'route', gateway: 'team-a' },
    ],
    ['cluster.weather.server=x.end', 'cluster.weather.server=x.end', {}],
  ])('cuts the labels out of %s', (stat, name, labels) => {
    const { stats_config } = parse(readFileSync(file, 'utf8')) as {
      stats_config: { stats_tags: { tag_name: string; regex: string }[] };
    };
    const found: Record<string, string> = {};
    let rest = stat;
    // As Envoy does it: every expression sees the whole name; group 1 is cut out, group 2 is the value.
    for (const { tag_name, regex } of stats_config.stats_tags) {
      const [, cut, value] = new RegExp(regex).exec(stat) ?? [];
      if (cut === undefined || value === undefined) continue;
      found[tag_name] = value;
      rest = rest.replace(cut, '');
    }
    expect(found).toEqual(labels);
    expect(rest).toBe(name);
  });
});

describeWithEnvoy('envoy.yaml on a real Envoy', () => {
  test('passes `envoy --mode validate` as it is', () => {
    const args = ['--mode', 'validate', '-c', file, '--disable-hot-restart', '--log-level', 'error'];
    expect(execFileSync(envoyBinary(), args, { encoding: 'utf8' })).toContain('OK');
  });

  test('runs without a session key in its environment, with the module that the plugin server serves', async () => {
    const artifacts = [loadArtifact('sluice', version, readFileSync(join(clone, 'build/plugin.wasm')))];
    const pluginServer = await startPluginServer({ artifacts, host: '127.0.0.1', port: 0 });
    onTestFinished(() => pluginServer.close());
    // The file's own text, its ports but: they may be in use, and 0 asks for free ones.
    const text = readFileSync(file, 'utf8')
      .replace(/port_value: (?:10000|9901)\b/g, 'port_value: 0')
      .replace('port_value: 8801', `port_value: ${new URL(pluginServer.url).port}`);
    const envoy = await startEnvoy({ binary: envoyBinary(), config: parse(text) as object });
    onTestFinished(() => envoy.stop());
    const gateway = `http://${envoy.listeners.get('mcp') ?? ''}`;
    const answer = await fetch(`${gateway}/mcp`, { method: 'POST', body: 'not JSON' });
    expect(answer.headers.get('x-mcp-gateway')).toMatch(/^sluice\//);

    // Another application's path is not ours, and has no route here.
    expect((await fetch(`${gateway}/other`)).status).toBe(404);
    expect((await fetch(`${gateway}/mcp%2f..%2fother`)).status).toBe(400);
    expect(envoy.log()).toMatch(/"mcp_outcome":/);
  });

  test('is the default-deny route where the filter is missing, whatever headers the client makes up', async () => {
    const config = gatewayBootstrap({
      listen: { host: '127.0.0.1', port: 0 },
      admin: { host: '127.0.0.1', port: 0 },
      pluginServerUrl: 'http://127.0.0.1:1',
      servers: [{ name: 'a', url: 'http://127.0.0.1:1/mcp' }],
    });
    const manager = config.static_resources.listeners[0].filter_chains[0].filters[0].typed_config;
    (manager as { http_filters: unknown[] }).http_filters.shift();
    const envoy = await startEnvoy({ binary: envoyBinary(), config });
    onTestFinished(() => envoy.stop());
    const gateway = `http://${envoy.listeners.get('mcp') ?? ''}`;
    for (const path of ['/mcp', '/mcp/team-a/reader', '/x/../mcp', '//mcp', '/%6dcp']) {
      const answer = await post(gateway, path, { 'x-mcp-servername': 'a' });
      expect(answer.status, path).toBe(500);
      expect(answer.type).toBe('application/json');
      const { jsonrpc, id, error } = JSON.parse(answer.body) as { jsonrpc: string; id: null; error: object };
      expect({ jsonrpc, id }).toEqual({ jsonrpc: '2.0', id: null });
      expect(error).toMatchObject({ code: -32603, data: { reason: 'host_mode' } });
    }
  });
});

/** A POST whose path goes out as it is written: fetch would normalise it first. */
async function post(
  origin: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number | undefined; type: string | undefined; body: string }> {
  const { hostname, port } = new URL(origin);
  const sent = request({ hostname, port, path, method: 'POST', headers, agent: false }).end('{}');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode, type: response.headers['content-type'], body };
}
