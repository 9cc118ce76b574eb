// What Envoy and other filters answer in the gateway's stead: the router's replies become rows of the error table, those
// of other filters stay as they are.
import { type AddressInfo, type Server, connect, createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bootstrap } from '../../envoy/render/bootstrap.ts';
import { refusal } from './clients/answers.ts';
import { bothProtocols, send } from './clients/raw.ts';
import { callMessage, initializeMessage, listMessage, openSession, post, type Session } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, never, reset, startScripted } from './upstreams/scripted.ts';

/** The parts of a bootstrap that are changed here. */
interface Parts {
  readonly listener: { per_connection_buffer_limit_bytes: number };
  readonly manager: {
    request_timeout: string;
    stream_idle_timeout: string;
    http2_protocol_options: { initial_stream_window_size: number; initial_connection_window_size: number };
    readonly http_filters: object[];
    readonly route_config: { validate_clusters?: boolean };
  };
  readonly route: (name: string) => Route;
  /** Gives a server's calls a cluster of their own, so that its handshake goes on to work. */
  readonly cluster: (name: string) => Cluster;
}

interface Route {
  readonly match: { readonly headers: [{ string_match: { exact: string } }] };
  readonly route: Record<string, unknown> & { cluster: string; retry_policy: Record<string, unknown> };
}

interface Cluster extends Record<string, unknown> {
  name: string;
  load_assignment: {
    cluster_name: string;
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { port_value: number } } } }] }?];
  };
  typed_extension_protocol_options: Record<string, { common_http_protocol_options: Record<string, unknown> }>;
}

function partsOf(bootstrap: Bootstrap): Parts {
  const { listeners, clusters } = bootstrap.static_resources;
  const [listener] = listeners as unknown as [
    Parts['listener'] & { filter_chains: [{ filters: [{ typed_config: Parts['manager'] }] }] },
  ];
  const manager = listener.filter_chains[0].filters[0].typed_config;
  const { virtual_hosts } = manager.route_config as { virtual_hosts: [{ routes: (Route & { name: string })[] }] };
  const route = (name: string): Route => {
    const found = virtual_hosts[0].routes.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`there is no route ${name}`);
    return found;
  };
  const cluster = (name: string): Cluster => {
    const copy = structuredClone(clusters.find((candidate) => candidate.name === name)) as unknown as Cluster;
    copy.name = copy.load_assignment.cluster_name = `${name}-calls`;
    clusters.push(copy as unknown as (typeof clusters)[number]);
    route(name).route.cluster = copy.name;
    return copy;
  };
  return { listener, manager, route, cluster };
}

function setPort(cluster: Cluster, port: number): void {
  const [endpoints] = cluster.load_assignment.endpoints;
  if (endpoints !== undefined) endpoints.lb_endpoints[0].endpoint.address.socket_address.port_value = port;
}

const names = [
  'sound', 'refusing', 'without-retries', 'crowded', 'unknown', 'empty', 'babbling', 'routeless', 'resting', 'long',
  'overlong', 'silent', 'slow', 'late', 'idle',
]; // prettier-ignore

describeGateway('replies of Envoy', () => {
  let upstream: Scripted;
  let babbling: Server;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
    babbling = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.end('what?\r\n\r\n'));
    });
    babbling.listen(0, '127.0.0.1');
    await once(babbling, 'listening');
  });
  afterAll(async () => {
    babbling.close();
    await upstream.stop();
  });

  const gateway = useGateway(() => ({
    servers: names.map((name) => ({
      name,
      url: upstream.url,
      ...(/late|crowded/.test(name) ? { callTimeout: '200ms' } : {}),
    })),
    plugin: { limits: { heldBody: '4Mi', listTimeout: '20s', callTimeout: '20s' } },
    adjust: (bootstrap) => {
      const { listener, manager, route, cluster } = partsOf(bootstrap);
      listener.per_connection_buffer_limit_bytes = 65_536;
      manager.http2_protocol_options.initial_stream_window_size = 65_536;
      manager.http2_protocol_options.initial_connection_window_size = 65_536;
      manager.request_timeout = '1.5s';
      manager.stream_idle_timeout = '1s';
      manager.route_config.validate_clusters = false;
      setPort(cluster('refusing'), 1);
      const withoutRetries = cluster('without-retries');
      setPort(withoutRetries, 1);
      withoutRetries['circuit_breakers'] = { thresholds: [{ max_retries: 0 }] };
      cluster('crowded')['circuit_breakers'] = { thresholds: [{ max_connections: 1, max_pending_requests: 1 }] };
      route('unknown').route.cluster = 'not-there';
      cluster('empty').load_assignment.endpoints = [];
      setPort(cluster('babbling'), (babbling.address() as AddressInfo).port);
      route('routeless').match.headers[0].string_match.exact = 'nobody';
      cluster('resting');
      const runtime = { name: 'test', static_layer: { 'upstream.maintenance_mode.resting-calls': 100 } };
      Object.assign(bootstrap, { layered_runtime: { layers: [runtime] } });
      route('long').route['max_stream_duration'] = { max_stream_duration: '0.2s' };
      for (const options of Object.values(cluster('overlong').typed_extension_protocol_options)) {
        options.common_http_protocol_options['max_stream_duration'] = '0.2s';
      }
      route('silent').route.retry_policy['per_try_idle_timeout'] = '0.2s';
      route('slow').route['timeout'] = '0.2s';
      route('idle').route['idle_timeout'] = '0.2s';
    },
  }));

  let session: Session;
  beforeAll(async () => {
    session = await openSession(gateway.current.url);
  });

  it.each([
    ['refusing', 'upstream_unreachable', /no connection/],
    ['without-retries', 'upstream_unreachable', /no connection/],
    ['unknown', 'upstream_unknown_cluster', /the cluster does not exist/],
    ['empty', 'upstream_unreachable', /the cluster has no healthy endpoint/],
    ['babbling', 'upstream_protocol', /not HTTP/],
    ['routeless', 'upstream_unknown_cluster', /no route matches/],
    ['resting', 'upstream_unreachable', /in maintenance/],
    ['long', 'upstream_timeout', /its route allows/],
    ['overlong', 'upstream_timeout', /its cluster allows/],
    ['silent', 'upstream_timeout', /silent/],
    ['slow', 'upstream_timeout', /timeout of its route/],
    ['late', 'upstream_timeout', /no answer/],
    ['idle', 'upstream_timeout', /no answer/],
  ])('a call to a server that is %s is answered with %s', async (name, reason, message) => {
    upstream.answers['tools/call'] = never;
    const answer = await session.post(callMessage(`"${name}_t"`, '{}', '"my id"'));
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.text)).toMatchObject({
      id: 'my id',
      error: { message: expect.stringMatching(message) as string, data: { reason, server: name } },
    });
  });

  it('a call beyond the circuit breakers is answered with upstream_unreachable', async () => {
    upstream.answers['tools/call'] = never;
    // A worker may always have one connection, whatever its breakers say: with eight calls, two workers refuse some.
    const answers = await Promise.all(names.slice(0, 8).map(() => session.post(callMessage('"crowded_t"'))));
    const messages = answers.map(({ text }) => (JSON.parse(text) as { error: { message: string } }).error.message);
    const refused = messages.filter((message) => message.includes('circuit breakers'));
    expect(refused.length).toBeGreaterThan(0);
    expect(messages.filter((message) => message.includes('no answer'))).toHaveLength(8 - refused.length);
  });

  it('a call that a server breaks off is answered with upstream_unreachable', async () => {
    upstream.answers['tools/call'] = reset;
    const answer = await session.post(callMessage('"sound_t"'));
    expect(JSON.parse(answer.text)).toMatchObject({
      error: { data: { reason: 'upstream_unreachable', server: 'sound' } },
    });
  });

  it('a list that outlasts stream_idle_timeout is answered, and what comes afterwards is for nobody', async () => {
    upstream.answers['tools/list'] = never;
    const answer = await session.post(listMessage('7'));
    expect(JSON.parse(answer.text)).toMatchObject({ id: 7, error: { data: { reason: 'upstream_timeout' } } });
  });

  it.each(bothProtocols)('a body beyond the buffer of Envoy over %s is answered with body_too_large', async (http) => {
    const answer = await post(gateway.current.url, initializeMessage() + ' '.repeat(3_000_000), { http });
    const row = { code: -32600, reason: 'body_too_large' };
    // Whether a part of it came to the gateway, and so its id, is a matter of Envoy's reads.
    expect([
      { ...row, status: 200, id: 0 },
      { ...row, status: 413, id: null },
    ]).toContainEqual(refusal(answer));
  });

  it.each([
    ['stops arriving', 0],
    ['arrives too slowly', 300],
  ])('a request that %s is answered with request_timeout', async (_, pause) => {
    const answer = await unfinished(gateway.current.url, pause);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      error: { code: -31008, data: { reason: 'request_timeout' } },
    });
  });
});

describeGateway('lists beyond the circuit breakers of a cluster', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t'] });
  });
  afterAll(() => upstream.stop());
  const gateway = useGateway(() => ({
    servers: [{ name: 'crowded', url: upstream.url }],
    workers: 1,
    plugin: { limits: { listTimeout: '2s' } },
    adjust: ({ static_resources: { clusters } }) => {
      const crowded = clusters.find(({ name }) => name === 'crowded');
      Object.assign(crowded ?? {}, {
        circuit_breakers: { thresholds: [{ max_connections: 1, max_pending_requests: 1 }] },
      });
    },
  }));

  it('are answered with what keeps them from being asked', async () => {
    const session = await openSession(gateway.current.url);
    upstream.answers['tools/list'] = never;
    const answers = await Promise.all([1, 2, 3, 4].map(() => session.post(listMessage())));
    const errors = answers.map(({ text }) => (JSON.parse(text) as { error: { message: string } }).error.message);
    const refused = errors.filter((message) => message.includes('its circuit breakers allow no more requests'));
    expect(refused).toHaveLength(2);
    expect(errors.filter((message) => message.includes('no answer'))).toHaveLength(2);
  });
});

/** Sends the beginning of a request, then a byte now and then, and returns what is answered. */
async function unfinished(url: string, pause: number): Promise<string> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /mcp HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"json`,
  );
  const more = pause === 0 ? undefined : setInterval(() => socket.write(' '), pause);
  socket.on('error', () => undefined); // it is closed while the next byte is on its way
  let text = '';
  socket.on('data', (bytes) => (text += bytes.toString()));
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(more);
  return text;
}

const limit = {
  name: 'limit',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
    stat_prefix: 'limit',
    token_bucket: { max_tokens: 1, fill_interval: '3600s' },
    filter_enabled: { default_value: { numerator: 100 } },
    filter_enforced: { default_value: { numerator: 100 } },
  },
};

/** Denies requests with this header. */
const denying = (name: string, exact: string): object => ({
  name: 'access',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
    rules: {
      action: 'DENY',
      policies: {
        denied: {
          permissions: [{ header: { name, string_match: { exact } } }],
          principals: [{ any: true }],
        },
      },
    },
  },
});

describeGateway('replies of other filters', () => {
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['t', 'secret'] });
  });
  afterAll(() => upstream.stop());

  describe('behind the module', () => {
    const gateway = useGateway(() => ({
      servers: [{ name: 'one', url: upstream.url }],
      workers: 1,
      adjust: (bootstrap) =>
        partsOf(bootstrap).manager.http_filters.splice(-1, 0, denying('x-mcp-toolname', 'secret'), limit),
    }));

    it('pass as they are, and can depend on what the module decided', async () => {
      upstream.forget();
      const session = await openSession(gateway.current.url);
      const denied = await session.post(callMessage('"one_secret"'));
      expect([denied.status, denied.text]).toEqual([403, 'RBAC: access denied']);
      const served = await session.post(callMessage('"one_t"'));
      expect(served.status).toBe(200);
      const limited = await session.post(callMessage('"one_t"'));
      expect([limited.status, limited.text]).toEqual([429, 'local_rate_limited']);
      expect(upstream.of('tools/call')).toHaveLength(1);
    });
  });

  describe('before the module', () => {
    const gateway = useGateway(() => ({
      servers: [{ name: 'one', url: upstream.url }],
      workers: 1,
      adjust: (bootstrap) => partsOf(bootstrap).manager.http_filters.splice(0, 0, denying('x-test', 'denied'), limit),
    }));

    it('pass as they are', async () => {
      const denied = await post(gateway.current.url, initializeMessage(), { headers: { 'x-test': 'denied' } });
      expect([denied.status, denied.text]).toEqual([403, 'RBAC: access denied']);
      await openSession(gateway.current.url);
      const limited = await send(gateway.current.url, { method: 'DELETE' });
      expect([limited.status, limited.text]).toEqual([429, 'local_rate_limited']);
    });
  });
});
