import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { shippedTemplates } from '../../envoy/render/bootstrap.ts';
import { type Cluster, clusterFor, formatHostPort, parseHostPort, parseUpstream } from '../../envoy/render/upstream.ts';

const template: Cluster = {
  name: 'template',
  type: 'STATIC',
  load_assignment: {
    cluster_name: 'template',
    endpoints: [
      { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: 1 } } } }] },
    ],
  },
  typed_extension_protocol_options: { kept: { as: 'it is' } },
};

describe('parseUpstream', () => {
  test.each([
    ['http://127.0.0.1:3001/mcp', { host: '127.0.0.1', port: 3001 }, false, '127.0.0.1:3001', '/mcp'],
    ['http://[::1]:3001/mcp', { host: '::1', port: 3001 }, false, '[::1]:3001', '/mcp'],
    ['http://example.com', { host: 'example.com', port: 80 }, false, 'example.com', '/'],
    ['https://Example.com/a%2Fb?x=1&y', { host: 'example.com', port: 443 }, true, 'example.com', '/a%2Fb?x=1&y'],
    ['https://example.com:8443/mcp/', { host: 'example.com', port: 8443 }, true, 'example.com:8443', '/mcp/'],
  ])('%s', (url, address, tls, authority, path) => {
    expect(parseUpstream(url)).toEqual({ address, tls, authority, path });
  });

  test.each([
    ['localhost:3001/mcp', /http:\/\/ or https:\/\//],
    ['/mcp', /is not a URL/],
    ['ftp://example.com/', /http:\/\/ or https:\/\//],
    ['http://user:hunter2@example.com/mcp', /password/],
    ['http://example.com/mcp#part', /fragment/],
    ['http://example.com/m\tcp', /"http:\/\/example.com\/m\\tcp" has .* control character/],
    ['http://example.com/mcp\nx: y', /control character/],
    ['http://example.com:0/mcp', /port 0/],
  ])('refuses %s', (url, why) => {
    expect(() => parseUpstream(url)).toThrow(why);
  });

  test('does not repeat a password in its message', () => {
    expect(() => parseUpstream('http://user:hunter2@example.com/mcp')).toThrow(/^(?!.*hunter2)/);
  });
});

describe('parseHostPort', () => {
  test.each(['127.0.0.1:10000', '[::1]:0', 'localhost:65535'])('%s, and back', (text) => {
    expect(formatHostPort(parseHostPort(text))).toBe(text);
  });

  test.each(['10000', ':10000', '::1:10000', '127.0.0.1:', '127.0.0.1:65536', 'a b', 'h:1:2'])('refuses %s', (text) => {
    expect(() => parseHostPort(text)).toThrow(/is not HOST:PORT/);
  });
});

describe('clusterFor', () => {
  beforeEach(() => {
    vi.stubEnv('SSL_CERT_FILE', import.meta.filename); // any file: where a system keeps its own is not the point here
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test.each([
    ['http://127.0.0.1:5/mcp', undefined, false],
    ['http://localhost:5/mcp', undefined, false],
    ['http://example.com:5/mcp', undefined, true],
    ['http://127.0.0.1:5/mcp', [{ address: '127.0.0.1', port: 5 }], true],
  ])('%s with endpoints %j: messages name theirs: %s', (url, endpoints, named) => {
    const { cluster } = shippedTemplates();
    const made = clusterFor('a', { ...parseUpstream(url), ...(endpoints && { endpoints }) }, cluster);
    expect([made, cluster].map((each) => /override_host|x-sluice-endpoint/.test(JSON.stringify(each)))).toEqual([
      named,
      true,
    ]);
  });

  test('an address is STATIC, and the rest is the template', () => {
    expect(clusterFor('a', parseUpstream('http://[::1]:5/mcp'), template)).toEqual({
      ...template,
      name: 'a',
      load_assignment: {
        cluster_name: 'a',
        endpoints: [
          { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '::1', port_value: 5 } } } }] },
        ],
      },
    });
  });

  test('each address of a name is an endpoint, in one family', () => {
    const cluster = clusterFor('a', parseUpstream('http://notes.tools.svc:5/mcp'), template);
    expect(cluster).toMatchObject({ type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' });
  });

  test('localhost is one endpoint, in both families', () => {
    const cluster = clusterFor('a', parseUpstream('http://localhost:5/mcp'), template);
    expect(cluster).toMatchObject({ type: 'LOGICAL_DNS', dns_lookup_family: 'ALL' });
    expect(cluster.transport_socket).toBeUndefined();
  });

  test('https asks for the name and checks that it is the one that the certificate has', () => {
    const { transport_socket } = clusterFor('a', parseUpstream('https://example.com/mcp'), template);
    expect(transport_socket).toMatchObject({
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        sni: 'example.com',
        common_tls_context: {
          validation_context: {
            trusted_ca: { filename: import.meta.filename },
            match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'example.com' } }],
          },
        },
      },
    });
  });

  test('https to an address has no SNI, and checks the address', () => {
    const { transport_socket } = clusterFor('a', parseUpstream('https://192.0.2.1/mcp'), template);
    expect(transport_socket).not.toHaveProperty('typed_config.sni');
    expect(transport_socket).toHaveProperty(
      'typed_config.common_tls_context.validation_context.match_typed_subject_alt_names',
      [{ san_type: 'IP_ADDRESS', matcher: { exact: '192.0.2.1' } }],
    );
  });
});
