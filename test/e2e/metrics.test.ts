// The module's metrics as a Prometheus server reads them from Envoy; docs/metrics.md has the names.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { send } from './clients/raw.ts';
import { callMessage, listMessage, openSession, post, resumeSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, startGateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Scripted, startScripted, status } from './upstreams/scripted.ts';

describeGateway('metrics', () => {
  let sound: Scripted;
  let ailing: Scripted;
  beforeAll(async () => {
    sound = await startScripted({ tools: ['t'] });
    ailing = await startScripted({ tools: ['t'] });
  });
  afterAll(() => Promise.all([sound.stop(), ailing.stop()]));
  // Names that end like the parts of a stat's name.
  const gateway = useGateway(() => ({
    servers: [
      { name: 'end', url: sound.url },
      { name: 'server-2', url: ailing.url, prefix: 'b_' },
    ],
    plugin: { origins: ['https://inspector.example.com'] },
  }));

  async function prometheus(): Promise<string[]> {
    const text = await gateway.current.prometheus();
    return text.split('\n').filter((line) => line.includes('sluice'));
  }

  const value = (lines: readonly string[], series: string): number => {
    const line = lines.find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? 0 : Number(line.slice(series.length + 1));
  };

  it('counts every request once, by method, server and outcome', async () => {
    const session = await openSession(gateway.current.url);
    await session.post(callMessage('"end_t"'));
    await session.post(callMessage('"end_t"'));
    await session.post(callMessage('"b_t"'));
    await session.post(callMessage('"x_t"'));
    ailing.answers['tools/call'] = status(500, 'text/html', '<p>');
    await session.post(callMessage('"b_t"'));
    ailing.answers['tools/call'] = status(422, 'application/json', '{}');
    await session.post(callMessage('"b_t"'));
    ailing.answers['tools/list'] = status(500, 'text/html', '<p>');
    await session.post(listMessage());
    await session.post('{"jsonrpc":"2.0","id":1,"method":"nothing/there"}');
    await session.post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    await session.end();
    await session.post(listMessage());
    await resumeSession(gateway.current.url, 'forged').post(listMessage());
    await post(gateway.current.url, 'no json');
    await post(gateway.current.url, '{}', { headers: { origin: 'https://evil.example' } });
    await send(gateway.current.url, { method: 'GET' });
    await send(gateway.current.url, { method: 'OPTIONS', headers: { origin: 'https://inspector.example.com' } });
    await send(`${gateway.current.origin}/other`, { method: 'GET' });

    const requests = (method: string, server: string, outcome: string): string =>
      `sluice_requests_total{method="${method}",server="${server}",outcome="${outcome}"}`;
    const expected: Record<string, number> = {
      [requests('initialize', '-', 'ok')]: 1,
      [requests('tools/call', 'end', 'ok')]: 2,
      [requests('tools/call', 'server-2', 'ok')]: 1,
      [requests('tools/call', 'server-2', 'upstream_status')]: 2,
      [requests('tools/call', '-', 'unknown_tool')]: 1,
      [requests('tools/list', '-', 'ok')]: 1,
      [requests('tools/list', '-', 'session_unknown')]: 2,
      [requests('other', '-', 'method_not_found')]: 1,
      [requests('other', '-', 'ok')]: 1,
      [requests('other', '-', 'parse_error')]: 1,
      [requests('other', '-', 'origin_forbidden')]: 1,
      [requests('DELETE', '-', 'ok')]: 1,
      [requests('GET', '-', 'method_not_allowed')]: 1,
      [requests('OPTIONS', '-', 'ok')]: 1,
      'sluice_forwards_total{way="route"}': 5,
      'sluice_sessions_total{event="opened"}': 1,
      'sluice_sessions_total{event="ended"}': 1,
      'sluice_sessions_total{event="refused"}': 2,
      'sluice_errors_total{reason="unknown_tool"}': 1,
      // Two calls, and the server that was left out of a list that was served.
      'sluice_errors_total{reason="upstream_status"}': 3,
      'sluice_errors_total{reason="session_unknown"}': 2,
      'sluice_errors_total{reason="parse_error"}': 1,
      'sluice_errors_total{reason="origin_forbidden"}': 1,
      'sluice_errors_total{reason="method_not_found"}': 1,
      'sluice_errors_total{reason="method_not_allowed"}': 1,
      'sluice_config{result="accepted"}': 1,
      'sluice_config{result="refused"}': 0,
    };
    const lines = await prometheus();
    const counters = lines.filter((line) => /^sluice_(?!upstream_ms)/.test(line));
    expect(
      Object.fromEntries(counters.map((line) => [line.replace(/ \d+$/, ''), value(lines, line.replace(/ \d+$/, ''))])),
    ).toEqual(expected);
    // Workers hand their histograms over every five seconds. Two callouts of the handshake, one of the list, two calls;
    // the other server is told about the end of its session as well.
    const observed = async (server: string): Promise<number> =>
      value(await prometheus(), `sluice_upstream_ms_count{server="${server}"}`);
    await until(
      'the histograms are there',
      async () => (await observed('end')) === 5 && (await observed('server-2')) === 6,
    );
  });

  it('counts a client that goes away', async () => {
    sound.answers['tools/call'] = () => undefined;
    const session = await openSession(gateway.current.url);
    const cut = new AbortController();
    const headers = { 'content-type': 'application/json', accept: '*/*', 'mcp-session-id': session.id };
    const call = fetch(gateway.current.url, {
      method: 'POST',
      headers,
      body: callMessage('"end_t"'),
      signal: cut.signal,
    });
    const gone = expect(call).rejects.toThrow();
    await until('the call has reached the server', () => Promise.resolve(sound.of('tools/call').length > 2));
    cut.abort();
    await gone;
    const series = 'sluice_requests_total{method="tools/call",server="end",outcome="aborted"}';
    await until('it is counted', async () => value(await prometheus(), series) === 1);
  });

  it('never makes a label of what a client sends', async () => {
    const before = (await prometheus()).length;
    const session = await openSession(gateway.current.url);
    for (let i = 0; i < 20; i++) {
      await session.post(callMessage(`"tool-${i}.outcome=x.end"`));
      await session.post(`{"jsonrpc":"2.0","id":1,"method":"m-${i}"}`);
      await send(gateway.current.url, { method: `V${i}` });
    }
    // Unread methods of HTTP are one new series at most.
    expect((await prometheus()).length).toBeLessThanOrEqual(before + 1);
  });
});

describeGateway('a configuration that changes while Envoy runs', () => {
  let upstream: Scripted;
  let directory: string;
  let filter: Filter;
  // Not `useGateway`: a refused configuration is an error in the log, and has to be.
  let gateway: Gateway;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
    directory = mkdtempSync(join(tmpdir(), 'sluice-metrics-'));
    gateway = await startGateway({
      servers: [{ name: 'one', url: upstream.url }],
      adjust: (bootstrap) => {
        const [listener] = bootstrap.static_resources.listeners;
        const filters: unknown[] = listener.filter_chains[0].filters[0].typed_config.http_filters;
        filter = filters[0] as Filter;
        filter.typed_config.config.vm_config.code = {
          local: { filename: fileURLToPath(new URL('../../build/plugin.wasm', import.meta.url)) },
        };
        publish('1', {});
        filters[0] = {
          name: filter.name,
          config_discovery: {
            config_source: { path_config_source: { path: join(directory, 'filter.json') }, resource_api_version: 'V3' },
            type_urls: ['type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm'],
          },
        };
        Object.assign(bootstrap, { node: { id: 'test', cluster: 'test' } });
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
    rmSync(directory, { recursive: true });
  });

  /** Writes the filter where Envoy watches for it; it takes a rename for a change. */
  function publish(version: string, plugin: object): void {
    const changed = structuredClone(filter);
    Object.assign(changed.typed_config.config.configuration.value, plugin);
    const resource = { '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig', ...changed };
    writeFileSync(join(directory, 'next'), JSON.stringify({ version_info: version, resources: [resource] }));
    renameSync(join(directory, 'next'), join(directory, 'filter.json'));
  }

  it('shows what became of the last one, and goes on counting where it was', async () => {
    const shown = async (): Promise<string[]> => {
      const lines = (await gateway.prometheus()).split('\n');
      return lines.filter((line) => /^sluice_(?:config|sessions_total)/.test(line)).sort();
    };
    await openSession(gateway.url);
    const opened = 'sluice_sessions_total{event="opened"}';
    const sound = ['sluice_config{result="accepted"} 1', 'sluice_config{result="refused"} 0'];
    expect(await shown()).toEqual([...sound, `${opened} 1`]);

    publish('2', { hosts: ['*'] });
    const refused = ['sluice_config{result="accepted"} 0', 'sluice_config{result="refused"} 1', `${opened} 1`];
    await until('it is refused', async () => isDeepStrictEqual(await shown(), refused));
    await until('Envoy has gone back', async () => (await gateway.stats()).get(`${discovery}.update_rejected`) === 1);
    await openSession(gateway.url);

    publish('3', { hosts: ['mcp.example.com'] });
    await until('it is accepted', async () => isDeepStrictEqual(await shown(), [...sound, `${opened} 2`]));
  });
});

const discovery = 'extension_config_discovery.http_filter.sluice';

interface Filter {
  readonly name: string;
  readonly typed_config: {
    readonly config: { readonly configuration: { readonly value: object }; readonly vm_config: { code: object } };
  };
}
