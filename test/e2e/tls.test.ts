// Servers behind https: nothing is sent to one before a handshake has shown who it is, with its name in the certificate.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Adjustment, connectionManager, overHttp2 } from './adjust.ts';
import { refusal, toolNames } from './clients/answers.ts';
import { callMessage, listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { type Gateway, startGateway, useGateway } from './gateway.ts';
import { until } from './until.ts';
import { type Credentials, makeAuthority, makeCertificate } from './upstreams/certificates.ts';
import { type Scripted, type ScriptedOptions, startScripted } from './upstreams/scripted.ts';

const secret = 'Bearer secret-of-the-gateway';
const credentials = { type: 'header', header: 'authorization', env: 'TOKEN' };
const hour = 3600 * 1000;

/** Somebody at a server's address who is not that server. */
interface Impostor {
  readonly port: number;
  /** What came in the clear, or behind a handshake. */
  readonly received: () => string;
  readonly stop: () => Promise<void>;
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
let authority: Credentials;
let stranger: Credentials;

beforeAll(async () => {
  [authority, stranger] = await Promise.all([makeAuthority('known'), makeAuthority('stranger')]);
  const file = join(folder, 'authorities.pem');
  writeFileSync(file, authority.cert);
  vi.stubEnv('SSL_CERT_FILE', file); // where an operator says which authorities this machine trusts
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const certificateFor = (...names: string[]): Promise<Credentials> => makeCertificate(authority, { names });

/** Names that no resolver knows: they are all on this machine. */
const onLoopback: Adjustment = ({ static_resources: { clusters } }) => {
  for (const { load_assignment: assignment, ...cluster } of clusters) {
    const { socket_address: address } = assignment.endpoints[0].lb_endpoints[0].endpoint.address;
    if (!address.address.endsWith('.example.com')) continue;
    address.address = '127.0.0.1';
    const found = clusters.find(({ name }) => name === cluster.name);
    if (found !== undefined) found.type = 'STATIC';
  }
};

/** `https://NAME:PORT/mcp`, wherever the server said that it is. */
function named(name: string, { url }: { readonly url: string }): string {
  return url.replace(/\/\/(?:\[[^\]]*\]|[^:]*):/, `//${name}:`);
}

describeGateway('a server behind https that is who its URL says', () => {
  const servers = new Map<string, Scripted>();
  const serverNames: (string | undefined)[] = [];
  const urls = new Map<string, string>();
  beforeAll(async () => {
    const [byName, byWildcard, byAddress, bySixAddress, chosen, other] = await Promise.all([
      certificateFor('localhost'),
      certificateFor('other.example.com', '*.example.com'),
      certificateFor('127.0.0.1'),
      certificateFor('::1'),
      certificateFor('chosen.example.com'),
      certificateFor('default.example.com'),
    ]);
    const byServerName: ScriptedOptions['tls'] = {
      ...other,
      SNICallback: (name, done) => {
        serverNames.push(name);
        done(null, createSecureContext(name === 'chosen.example.com' ? chosen : other));
      },
    };
    const start = async (name: string, host: string, options: ScriptedOptions): Promise<void> => {
      const server = await startScripted({ tools: ['echo'], ...options });
      servers.set(name, server);
      urls.set(name, named(host, server));
    };
    await Promise.all([
      start('name', 'localhost', { tls: byName }),
      start('wildcard', 'tools.example.com', { tls: byWildcard }),
      start('ip', '127.0.0.1', { tls: byAddress }),
      start('ipv6', '[::1]', { tls: bySixAddress, host: '::1' }),
      start('sni', 'chosen.example.com', { tls: byServerName }),
      start('http2', 'localhost', { tls: byName, http2: true }),
      start('tls13', 'localhost', { tls: { ...byName, minVersion: 'TLSv1.3' } }),
      start('tls12', 'localhost', { tls: { ...byName, maxVersion: 'TLSv1.2' } }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  });
  const gateway = useGateway(() => ({
    servers: [...urls].map(([name, url]) => ({ name, url, credentials })),
    env: { TOKEN: secret },
    adjust: (bootstrap) => {
      onLoopback(bootstrap);
      overHttp2('http2')(bootstrap);
      const cluster = bootstrap.static_resources.clusters.find(({ name }) => name === 'http2');
      const { typed_config: context } = cluster?.transport_socket as {
        typed_config: { common_tls_context: { alpn_protocols: string[] } };
      };
      context.common_tls_context.alpn_protocols = ['h2'];
    },
  }));

  it.each(['name', 'wildcard', 'ip', 'ipv6', 'sni', 'http2', 'tls12', 'tls13'])(
    '%s: is listed, called, and given its secret',
    async (name) => {
      const session = await openSession(gateway.current.url);
      expect(toolNames(await session.post(listMessage()))).toContain(`${name}_echo`);
      const answer = await session.post(callMessage(`"${name}_echo"`));
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('done')]);
      expect(servers.get(name)?.last('tools/call').headers['authorization']).toBe(secret);
    },
  );

  it('is told by its name whose certificate is asked for', () => {
    expect(new Set(serverNames)).toEqual(new Set(['chosen.example.com']));
  });
});

describeGateway('whoever is not the server that its URL names', () => {
  const impostors = new Map<string, Impostor>();
  const urls = new Map<string, string>();
  let good: Scripted;
  beforeAll(async () => {
    const [right, expired, unknown, otherName, otherAddress, deep, partial] = await Promise.all([
      certificateFor('localhost'),
      makeCertificate(authority, { names: ['localhost'], notAfter: new Date(Date.now() - hour) }),
      makeCertificate(stranger, { names: ['localhost'] }),
      certificateFor('elsewhere.example.com'),
      certificateFor('127.0.0.2', 'localhost'),
      certificateFor('*.example.com'),
      certificateFor('example.com'),
    ]);
    good = await startScripted({ tools: ['echo'], tls: right });
    const put = (name: string, host: string, impostor: Impostor): void => {
      impostors.set(name, impostor);
      urls.set(name, `https://${host}:${impostor.port}/mcp`);
    };
    put('expired', 'localhost', await behindTls(expired));
    put('unknown-authority', 'localhost', await behindTls(unknown));
    put('wrong-name', 'localhost', await behindTls(otherName));
    put('wrong-address', '127.0.0.1', await behindTls(otherAddress));
    put('two-labels', 'a.b.example.com', await behindTls(deep));
    put('no-subdomain', 'tools.example.com', await behindTls(partial));
    put('plain', 'localhost', await inTheClear('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'));
    put('closes', 'localhost', await inTheClear(''));
    put('http2-expired', 'localhost', await behindTls(expired));
    put('http2-wrong-name', 'localhost', await behindTls(otherName));
    put('http2-plain', 'localhost', await inTheClear(''));
  });
  afterAll(async () => {
    await Promise.all([good.stop(), ...[...impostors.values()].map((impostor) => impostor.stop())]);
  });
  const gateway = useGateway(() => ({
    servers: [
      ...[...urls].map(([name, url]) => ({ name, url, credentials })),
      { name: 'good', url: named('localhost', good), credentials },
      // The other way round: it speaks TLS, and is asked in the clear.
      { name: 'asked-in-the-clear', url: named('localhost', good).replace('https:', 'http:') },
    ],
    env: { TOKEN: secret },
    adjust: (bootstrap) => {
      onLoopback(bootstrap);
      overHttp2('http2-expired', 'http2-wrong-name', 'http2-plain')(bootstrap);
    },
  }));

  it.each([
    'expired',
    'unknown-authority',
    'wrong-name',
    'wrong-address',
    'two-labels',
    'no-subdomain',
    'plain',
    'closes',
    'http2-expired',
    'http2-wrong-name',
    'http2-plain',
  ])('%s: is sent nothing, and the others are served', async (name) => {
    const session = await openSession(gateway.current.url);
    expect(toolNames(await session.post(listMessage()))).toEqual(['good_echo']);
    const refused = await session.post(callMessage(`"${name}_echo"`));
    expect(refusal(refused)).toMatchObject({ status: 200, code: -32603, reason: 'upstream_unreachable', server: name });
    await until(`the log says it of ${name}`, () =>
      new RegExp(`\\[warning\\]\\[wasm\\].* ${name}: upstream_unreachable: no connection`).test(gateway.current.log()),
    );
    const received = impostors.get(name)?.received() ?? '';
    // What is looked for is long: beginnings of TLS are kilobytes of random bytes, in which any three letters come now and then.
    expect(received).not.toMatch(/secret|HTTP\/|POST \/|PRI \* |jsonrpc/);
  });

  it('asked-in-the-clear: is left out', async () => {
    const session = await openSession(gateway.current.url);
    const refused = await session.post(callMessage('"asked-in-the-clear_echo"'));
    expect(refusal(refused)).toMatchObject({ status: 200, code: -32603, server: 'asked-in-the-clear' });
  });
});

describeGateway('a module behind https', () => {
  let server: Scripted;
  beforeAll(async () => {
    server = await startScripted({ tools: ['echo'] });
  });
  afterAll(() => server.stop());
  const startWith = (pluginServerTls: Credentials): Promise<Gateway> =>
    startGateway({ servers: [{ name: 'a', url: server.url }], pluginServerTls, adjust: withoutRetries });

  it('is fetched where the certificate is right', async () => {
    const gateway = await startWith(await certificateFor('127.0.0.1'));
    try {
      expect((await openSession(gateway.url)).initialized.status).toBe(200);
    } finally {
      await gateway.stop();
    }
  });

  it.each([
    ['of another name', () => certificateFor('localhost')],
    ['of an authority that nobody knows', () => makeCertificate(stranger, { names: ['127.0.0.1'] })],
  ])('is not taken behind a certificate %s', async (_, certificate) => {
    await expect(startWith(await certificate())).rejects.toThrow(/could not fetch the module/);
  });
});

/** One try to fetch the module: what fails now fails for ever. */
const withoutRetries: Adjustment = (bootstrap) => {
  const [filter] = connectionManager(bootstrap).http_filters;
  Object.assign(filter.typed_config.config.vm_config.code.remote, { retry_policy: { num_retries: 0 } });
};

/** Accepts a handshake with this certificate, and keeps what comes behind it. */
async function behindTls(tls: Credentials): Promise<Impostor> {
  const received: Buffer[] = [];
  const server = createTlsServer({ ...tls, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    socket.on('data', (bytes: Buffer) => received.push(bytes)).on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  return listening(server, received);
}

/** Speaks no TLS: answers the first bytes, whatever they are, with these, and ends. */
async function inTheClear(answer: string): Promise<Impostor> {
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      received.push(bytes);
      socket.end(answer);
    });
  });
  return listening(server, received);
}

async function listening(server: Server, received: readonly Buffer[]): Promise<Impostor> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(received).toString('latin1'),
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
