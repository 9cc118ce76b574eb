// A stand-in for Istio's agent: how it fetches a WasmPlugin over http. (istio: pkg/wasm/httpfetcher.go, cache.go)
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';

interface AgentOptions {
  /** `sha256` of the WasmPlugin. */
  readonly sha256?: string;
  /** Milliseconds before the first retry, then twice as many; 500 in Istio. */
  readonly backoff?: number;
}

const tries = 5;
const requestTimeout = 15_000;
const fetchTimeout = 30_000;
const sizeLimit = 256 * 1024 * 1024;
/** 5xx that will not change. */
const lasting: readonly number[] = [501, 505, 511];

/** Returns the module that the agent would hand to Envoy. Throws with its reason where it would block the traffic. */
export async function fetchAsAgent(url: string, { sha256, backoff = 500 }: AgentOptions = {}): Promise<Buffer> {
  const module = await unbox(await get(url, backoff));
  if (module.subarray(0, 4).toString('latin1') !== '\0asm') throw new Error('not a valid Wasm module');
  // Of what was unboxed, not of what came.
  const digest = createHash('sha256').update(module).digest('hex');
  if (sha256 !== undefined && digest !== sha256)
    throw new Error(`module downloaded from ${url} has checksum ${digest}`);
  return module;
}

async function get(url: string, backoff: number): Promise<Buffer> {
  const deadline = AbortSignal.timeout(fetchTimeout);
  let last: unknown;
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await sleep(backoff * 2 ** (attempt - 1), undefined, { signal: deadline });
    try {
      const signal = AbortSignal.any([deadline, AbortSignal.timeout(requestTimeout)]);
      // Go's client: redirects are followed, no header of its own but user-agent and accept-encoding.
      const response = await fetch(url, { signal, headers: { 'user-agent': 'Go-http-client/1.1', accept: '*/*' } });
      const body = Buffer.from(await response.arrayBuffer());
      if (response.status === 200) {
        if (body.length > sizeLimit) throw new Error('wasm module is too large');
        return body;
      }
      const failure = `failed after ${attempt + 1} attempts, last error: status code ${response.status}`;
      const isRetried = response.status >= 500 && !lasting.includes(response.status);
      if (!isRetried) return await Promise.reject(new LastingError(failure));
      last = new Error(failure);
    } catch (error) {
      if (error instanceof LastingError) throw error;
      last = error;
    }
  }
  throw last;
}

class LastingError extends Error {}

async function unbox(box: Buffer): Promise<Buffer> {
  let inner = box;
  for (;;) {
    if (inner.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) inner = gunzipSync(inner);
    else if (inner.subarray(257, 262).toString('latin1') === 'ustar') inner = await firstFile(inner);
    else return inner;
  }
}

async function firstFile(archive: Buffer): Promise<Buffer> {
  const entries = extract();
  entries.end(archive);
  for await (const entry of entries) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    if (entry.header.type === 'file') return Buffer.concat(chunks);
  }
  throw new Error('no file in tar');
}
