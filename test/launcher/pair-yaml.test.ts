import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { leaveUnnamed } from '../../envoy/render/upstream.ts';
import { type Bootstrap, gatewayBootstrap } from '../../envoy/render/bootstrap.ts';
import { checkConfiguration } from '../../envoy/engine/check.ts';
import { startEnvoy } from '../../envoy/engine/process.ts';
import { loadArtifact, startPluginServer } from '../../plugin-server/index.ts';
import { clone, describeWithEnvoy, envoyBinary } from './support.ts';

const text = readFileSync(join(clone, 'envoy/pair.yaml'), 'utf8');
const module = join(clone, 'build/plugin.wasm');

/** The file without what is its own: the words at its head, and the filters before the router. */
function commonPart(file: string): string {
  const whole = readFileSync(join(clone, file), 'utf8');
  const filters = /(?<=^ +http_filters:\n).*?(?=^ +- name: envoy\.filters\.http\.router$)/ms;
  expect(whole).toMatch(filters);
  return whole.slice(whole.indexOf('\nadmin:')).replace(filters, '');
}

describe('pair.yaml', () => {
  test('is envoy.yaml but for its head and its filters, comments included', () => {
    expect(commonPart('envoy/pair.yaml')).toBe(commonPart('envoy/envoy.yaml'));
  });

  test('says what `sluice start` would derive for host mode pair', () => {
    const derived = gatewayBootstrap({
      listen: { host: '127.0.0.1', port: 10000 },
      admin: { host: '127.0.0.1', port: 9901 },
      pluginServerUrl: 'http://127.0.0.1:8801',
      plugin: { endpoint: '/mcp', hostMode: 'pair' },
      servers: [
        { name: 'everything', url: 'http://127.0.0.1:3001/mcp', prefix: 'everything_' },
        { name: 'notes', url: 'http://127.0.0.1:3002/mcp', prefix: 'notes_' },
      ],
    });
    const expected = parse(text) as Bootstrap;
    // A derived file lets through exactly the variables that its configuration names; and it names no endpoint where
    // there is one alone, while the shipped one shows how.
    const [filter] = expected.static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters;
    filter.typed_config.config.vm_config.environment_variables.host_env_keys = []; // of both: one VM, one anchor
    expected.static_resources.clusters.slice(1).forEach(leaveUnnamed);
    expect(derived).toEqual(expected);
  });
});

describeWithEnvoy('pair.yaml on a real Envoy', () => {
  test('is accepted, and its configurations by the module', async () => {
    await checkConfiguration({ binary: envoyBinary(), config: parse(text) as object, module });
  });

  test('runs with the module that the plugin server serves', async () => {
    const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
    const artifacts = [loadArtifact('sluice', version, readFileSync(module))];
    const pluginServer = await startPluginServer({ artifacts, host: '127.0.0.1', port: 0 });
    onTestFinished(() => pluginServer.close());
    const config = text
      .replace(/port_value: (?:10000|9901)\b/g, 'port_value: 0')
      .replace('port_value: 8801', `port_value: ${new URL(pluginServer.url).port}`);
    const envoy = await startEnvoy({ binary: envoyBinary(), config: parse(config) as object });
    onTestFinished(() => envoy.stop());
    const gateway = `http://${envoy.listeners.get('mcp') ?? ''}`;
    const answer = await fetch(`${gateway}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: 'not JSON',
    });
    expect(answer.headers.get('x-mcp-gateway')).toMatch(/^sluice\//);
    expect(await answer.json()).toMatchObject({ error: { data: { reason: 'parse_error' } } });
    expect((await fetch(`${gateway}/other`)).status).toBe(404);
  });
});
