// The spans of a real Envoy that traces by itself, as docs/tracing.md has it: what they say of MCP, and whose trace they are.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { connectionManager } from '../adjust.ts';
import { openSession } from '../clients/session.ts';
import { engine } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { until } from '../until.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';

const page = readFileSync(new URL('../../../docs/tracing.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([^]+?)\n```/g)].map(
  ([, text = '']) => parse(text) as Record<string, unknown>,
);
const tracing = examples.find((example) => 'tracing' in example);
const cluster = examples.find((example) => example['name'] === 'otel-collector');

/** A collector of OTLP over HTTP. Of its messages only what stands in them in plain is read. */
interface Collector {
  readonly port: number;
  readonly exports: Buffer[];
  readonly server: Server;
}

async function startCollector(): Promise<Collector> {
  const exports: Buffer[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      exports.push(Buffer.concat(parts));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, exports, server };
}

/** The value of an attribute (KeyValue of OTLP: the key, then an AnyValue of one string), each below 128 bytes. */
function attribute(span: Buffer, key: string): string | undefined {
  const at = span.indexOf(Buffer.concat([Buffer.from([0x0a, key.length]), Buffer.from(key), Buffer.from([0x12])]));
  if (at < 0) return undefined;
  const value = at + 2 + key.length + 2;
  const length = span[value + 1] ?? 0;
  return span.toString('utf8', value + 2, value + 2 + length);
}

const ofClient = 'a'.repeat(32);
const parent = (trace: string): string => `00-${trace}-00f067aa0ba902b7-01`;

/** The embedded engine does not trace. */
describe.skipIf(engine?.name !== 'envoy')('spans of Envoy', () => {
  let weather: Scripted;
  let collector: Collector;
  beforeAll(async () => {
    [weather, collector] = await Promise.all([startScripted({ tools: ['get'] }), startCollector()]);
  });
  afterAll(async () => {
    await weather.stop();
    collector.server.close();
    collector.server.closeAllConnections();
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'weather', url: weather.url }],
    plugin: { audit: {} },
    adjust: (bootstrap) => {
      Object.assign(connectionManager(bootstrap), tracing);
      const text = JSON.stringify(cluster)
        .replaceAll('otel.example.com', '127.0.0.1')
        .replaceAll('4318', String(collector.port));
      const clusters: unknown[] = bootstrap.static_resources.clusters;
      clusters.push(JSON.parse(text));
      const layers = [{ name: 'static', static_layer: { tracing: { opentelemetry: { min_flush_spans: 1 } } } }];
      Object.assign(bootstrap, { layered_runtime: { layers } });
    },
  }));
  beforeEach(() => {
    weather.forget();
    collector.exports.length = 0;
  });

  const said = { traceparent: parent(ofClient), tracestate: 'a=b', baggage: 'c=d' };
  const body = (meta: object): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'weather_get', arguments: {}, _meta: meta },
    });
  async function spanOf(method: string): Promise<Buffer> {
    const find = (): Buffer | undefined =>
      collector.exports.find((span) => attribute(span, 'mcp.method.name') === method);
    await until('the span has come', () => Promise.resolve(find() !== undefined));
    return find() ?? Buffer.alloc(0);
  }

  it('say what was called, and of which server', async () => {
    const session = await openSession(gateway.current.url);
    await session.post(body({}));
    const span = await spanOf('tools/call');
    const keys = ['gen_ai.tool.name', 'mcp.protocol.version', 'sluice.server', 'mcp.resource.uri'];
    expect(keys.map((key) => attribute(span, key))).toEqual(['get', '2025-11-25', 'weather', undefined]);
  });

  it.each([
    ['alone', {}],
    ['and in the body', said],
  ])('are of the trace that the headers say, %s', async (_, meta) => {
    const session = await openSession(gateway.current.url);
    await session.post(body(meta), { headers: said });
    const span = await spanOf('tools/call');
    expect(span.includes(Buffer.from(ofClient, 'hex'))).toBe(true);
    const { headers } = weather.last('tools/call');
    expect(headers['traceparent']).toMatch(new RegExp(`^00-${ofClient}-[0-9a-f]{16}-01$`));
    // Envoy's own span is the parent.
    expect(headers['traceparent']).not.toBe(said.traceparent);
    expect(headers).toMatchObject({ tracestate: said.tracestate, baggage: said.baggage });
  });

  it('are of a trace of their own where the body alone says one, which the server still reads there', async () => {
    const session = await openSession(gateway.current.url);
    await session.post(body(said));
    const span = await spanOf('tools/call');
    const call = weather.last('tools/call');
    const [, trace = ''] = String(call.headers['traceparent']).split('-');
    expect(span.includes(Buffer.from(trace, 'hex'))).toBe(true);
    expect(trace).not.toBe(ofClient);
    // What Envoy says of its trace has no state of another one.
    expect(call.headers['tracestate'] ?? '').toBe('');
    expect(call.headers['baggage']).toBe(said.baggage);
    expect(call.body.toString()).toContain(JSON.stringify(said));
    await until('the record has the trace of the client', () =>
      Promise.resolve(gateway.current.log().includes(`"trace":"${ofClient}"`)),
    );
  });
});
