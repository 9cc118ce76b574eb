// A balancer as clouds have it: one address in front of several instances, and a cookie that leads back to one of them.
import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

export interface CookieBalancer {
  readonly url: string;
  /** The `cookie` header of each request that came. */
  readonly cookies: readonly (string | undefined)[];
  stop(): Promise<void>;
}

/**
 * @param urls of the instances; who has no cookie gets the next one, in turns, and its cookie
 * @param renews every answer sets a new cookie, and the one before leads nowhere any more
 */
export async function startCookieBalancer(
  name: string,
  urls: readonly string[],
  { renews = false } = {},
): Promise<CookieBalancer> {
  const cookies: (string | undefined)[] = [];
  let turn = 0;
  let renewals = 0;
  const good = new Set<string>();
  const isGood = (cookie: string): boolean => cookie.startsWith(`${name}=i`) && (!renews || good.has(cookie));
  const newCookie = (index: number, before: string | undefined): string => {
    const cookie = `${name}=i${index}${renews ? `.${++renewals}` : ''}`;
    if (before !== undefined) good.delete(before);
    good.add(cookie);
    return cookie;
  };
  const http = createServer((request, response) => {
    const { cookie } = request.headers;
    cookies.push(cookie);
    const known =
      cookie !== undefined && isGood(cookie) ? Number.parseInt(cookie.slice(name.length + 2), 10) : undefined;
    const index = known ?? turn++ % urls.length;
    const { hostname, port } = new URL(urls[index] ?? '');
    const { method, url: path, headers } = request;
    const onward = ask({ hostname, port, method, path, headers }, (answer) => {
      const isSet = renews || known === undefined;
      const set = isSet ? [`other=1; Path=/`, `${newCookie(index, cookie)}; Path=/; HttpOnly; Max-Age=60`] : [];
      const own = answer.headers['set-cookie'] ?? [];
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'set-cookie': [...own, ...set] });
      // An event stream begins before its first event.
      response.flushHeaders();
      pipeline(answer, response, () => undefined);
    });
    onward.on('error', () => response.destroy());
    pipeline(request, onward, () => undefined);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${new URL(urls[0] ?? '').pathname}`,
    cookies,
    stop: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
