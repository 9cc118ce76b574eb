// A token endpoint (RFC 8693) that verifies what it is sent, and gives a token that says whose it is and for whom.
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Asked {
  readonly authorization: string | undefined;
  readonly form: ReadonlyMap<string, string>;
}

export interface TokenEndpoint {
  readonly url: string;
  /** What it was asked, as it came. */
  readonly asked: Asked[];
  /** Answers in the place of the usual one, while it is there. */
  instead: ((response: ServerResponse) => void) | undefined;
  /** Seconds that its tokens are good. */
  lifetime: number;
  /** Milliseconds that it takes for an answer. */
  delay: number;
  stop(): Promise<void>;
}

/** @param keys a JWKS with the key that callers' tokens are signed with. @param client `id:secret` that it serves */
export async function startTokenEndpoint(keys: string, client: string): Promise<TokenEndpoint> {
  const [jwk] = (JSON.parse(keys) as { keys: JsonWebKey[] }).keys;
  const key = createPublicKey({ key: jwk ?? {}, format: 'jwk' });
  let issued = 0;

  function answerTo({ authorization, form }: Asked): [number, object] {
    if (authorization !== `Basic ${Buffer.from(client).toString('base64')}`) return [401, { error: 'invalid_client' }];
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange')
      return [400, { error: 'unsupported_grant_type' }];
    const isKnownType = ['subject', 'requested'].every((which) =>
      form.get(`${which}_token_type`)?.endsWith(':access_token'),
    );
    const [head = '', payload = '', signature = ''] = (form.get('subject_token') ?? '').split('.');
    const signed = verify('RSA-SHA256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'));
    if (!isKnownType || !signed) return [400, { error: 'invalid_request' }];
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string };
    const audience = form.get('audience') ?? '';
    if (sub === 'nobody') return [403, { error: 'access_denied', error_description: form.get('subject_token') }];
    const token = `${sub}-at-${audience.replace(/\W/g, '-')}-${++issued}`;
    const type = 'urn:ietf:params:oauth:token-type:access_token';
    return [200, { access_token: token, issued_token_type: type, token_type: 'bearer', expires_in: endpoint.lifetime }];
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const form = new Map(new URLSearchParams(Buffer.concat(parts).toString()));
    const asked = { authorization: request.headers.authorization, form };
    endpoint.asked.push(asked);
    if (endpoint.delay > 0) await new Promise((done) => setTimeout(done, endpoint.delay));
    if (endpoint.instead !== undefined) {
      endpoint.instead(response);
      return;
    }
    const [status, body] = answerTo(asked);
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint: TokenEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth2/token?realm=mcp`,
    asked: [],
    instead: undefined,
    lifetime: 300,
    delay: 0,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return endpoint;
}
