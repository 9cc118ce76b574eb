// Calls of every size, whose digest at the server is known beforehand.
import { createHash } from 'node:crypto';
import { callMessage } from '../clients/session.ts';

export interface Sample {
  readonly server: string;
  readonly body: Buffer;
  /** Of the bytes that the server has to get. */
  readonly sha256: string;
  /** Where the client cuts it into chunks. */
  readonly chunks: readonly Buffer[];
  readonly trailers: boolean;
}

/** Repeatable randomness: a proof that failed fails again. (mulberry32) */
export function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A large call is sent on before its end, and cannot have trailers then unless they are announced and it is held. */
const largestWithTrailers = 60_000;

/** @param most bytes of arguments; sizes are spread evenly over the orders of magnitude */
export function makeSamples(count: number, servers: readonly string[], most: number, random: () => number): Sample[] {
  return Array.from({ length: count }, (_, index) => {
    const trailers = random() < 0.2;
    const size = Math.floor(10 ** (1 + random() * Math.log10((trailers ? largestWithTrailers : most) / 10)));
    const server = servers[index % servers.length] ?? '';
    const args = `{"n":${index},"text":"${'abcdefghij'.repeat(size / 10)}"}`;
    const body = Buffer.from(callMessage(`"${server}_hash"`, args, String(index)));
    const sha256 = createHash('sha256')
      .update(callMessage('"hash"', args, String(index)))
      .digest('hex');
    return { server, body, sha256, trailers, chunks: cut(body, 1 + Math.floor(random() * 6), random) };
  });
}

function cut(body: Buffer, pieces: number, random: () => number): Buffer[] {
  // Half of the cuts lie within the head, where the name and what is decided on is.
  const places = Array.from({ length: pieces - 1 }, () =>
    Math.floor(random() * (random() < 0.5 ? Math.min(body.length, 120) : body.length)),
  ).sort((a, b) => a - b);
  return [0, ...places]
    .map((from, index) => body.subarray(from, places[index] ?? body.length))
    .filter((chunk) => chunk.length > 0);
}
