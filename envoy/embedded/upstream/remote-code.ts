import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AsyncClient, AsyncResponse } from '../async-client.ts';
import type { WasmCode } from '../config/model.ts';
import { HeaderMap } from '../header-map.ts';
import type { Logger } from '../log.ts';

type RemoteCode = Extract<WasmCode, { kind: 'remote' }>;

/**
 * Fetches a module over HTTP and checks its digest, as often as its retry policy says.
 * @returns undefined where it could not be had; the log says why
 */
export async function fetchCode(
  code: RemoteCode,
  client: AsyncClient,
  logger: Logger,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  for (let attempt = 0; attempt <= code.retries && !signal.aborted; attempt++) {
    if (attempt > 0) await pause(Math.min(code.backoff.max, code.backoff.base * 2 ** (attempt - 1)), signal);
    const bytes = await attemptFetch(code, client, logger);
    if (bytes !== undefined) return bytes;
  }
  logger.log('error', 'config', 'Retry limit exceeded for fetching data from remote data source.');
  return undefined;
}

async function pause(time: number, signal: AbortSignal): Promise<void> {
  await sleep(time, undefined, { signal }).catch(() => undefined);
}

const localAddress = '127.0.0.1';

async function attemptFetch(
  { uri, cluster, timeout, sha256 }: RemoteCode,
  client: AsyncClient,
  logger: Logger,
): Promise<Uint8Array | undefined> {
  const { host, pathname, search } = new URL(uri);
  const headers = new HeaderMap([
    [':method', 'GET'],
    [':path', pathname + search],
    [':authority', host],
    ['x-forwarded-for', localAddress], // who asks: nobody but this host
  ]);
  const answer = await new Promise<AsyncResponse | 'reset'>((resolve) => {
    const nothing = new Uint8Array(0);
    const request = { headers, body: nothing, trailers: new HeaderMap(), timeout };
    if (!client.hasCluster(cluster) || client.send(cluster, request, resolve) === undefined) resolve('reset');
  });
  if (answer === 'reset') {
    logger.log('debug', 'config', `fetch remote data [uri = ${uri}]: failure: no answer`);
    return undefined;
  }
  const status = answer.headers.get(':status');
  if (status !== '200') {
    logger.log('debug', 'config', `fetch remote data [uri = ${uri}]: response status code ${String(status)}`);
    return undefined;
  }
  const digest = createHash('sha256').update(answer.body).digest('hex');
  if (digest === sha256) return answer.body;
  logger.log('debug', 'config', `fetch remote data [uri = ${uri}]: data is invalid, its sha256 is ${digest}`);
  return undefined;
}
