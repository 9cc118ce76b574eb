// Sends the same request over and over, on connections that stay open. A process of its own.
import { connect } from 'node:net';
import { Messages } from './http1.ts';
import { SESSION } from './requests.ts';

/** A request, or one and what follows in the session that its answer began: both are measured as one call. */
export type Call = string | readonly [opening: string, following: string];

export interface Job {
  readonly port: number;
  readonly request: Call;
  readonly connections: number;
  /** Which of the two comes first ends it. */
  readonly seconds: number;
  readonly requests: number;
}

export interface Load {
  readonly calls: number;
  readonly seconds: number;
  /** Milliseconds, by rank: p50 is in the middle. */
  readonly p50: number;
  readonly p99: number;
}

async function run({ port, request, connections, seconds, requests }: Job): Promise<Load> {
  const [opening, following] = typeof request === 'string' ? [request] : request;
  const latencies: number[] = [];
  const begin = performance.now();
  let sent = 0;
  const more = (): boolean => sent < requests && performance.now() - begin < seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      await new Promise<void>((resolve, reject) => {
        let at = 0;
        let isFollowing = false;
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        const send = (): void => {
          if (!more()) {
            socket.end();
            resolve();
            return;
          }
          sent++;
          at = performance.now();
          socket.write(opening);
        };
        const messages = new Messages((head, body) => {
          if (!head.startsWith(isFollowing ? 'HTTP/1.1 202' : 'HTTP/1.1 200') || body.includes('"error":{')) {
            reject(new Error(`${head}\n${body.toString()}`));
            return;
          }
          isFollowing = following !== undefined && !isFollowing;
          if (following !== undefined && isFollowing) {
            socket.write(following.replace(SESSION, /^mcp-session-id: *(.*)$/im.exec(head)?.[1] ?? ''));
            return;
          }
          latencies.push(performance.now() - at);
          send();
        });
        socket.once('connect', send);
        socket.on('data', (chunk: Buffer) => {
          messages.add(chunk);
        });
        socket.once('error', reject);
        socket.once('close', () => {
          reject(new Error('the gateway closed a connection'));
        });
      });
    }),
  );
  const took = (performance.now() - begin) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  const rank = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { calls: sorted.length, seconds: took, p50: rank(0.5), p99: rank(0.99) };
}

process.on('message', (job: Job) => {
  run(job).then(
    (load) => process.send?.({ load }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.once('disconnect', () => process.exit());
