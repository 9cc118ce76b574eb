import type { Case } from './cases.ts';
import { type Arrival, type Message, messageIn } from './messages.ts';

/** Of a large body its beginning and its end are cut at every byte. */
const EDGE = 300;

/** All other ways in which the last body of a case can come. */
export function otherArrivals({ exchanges }: Case): Iterable<Arrival> {
  const message = messageIn(exchanges.at(-1)?.get('request') ?? '');
  return message.body.length === 0 ? [] : arrivalsOf(message);
}

/** The bytes of the last body of a case. */
export function bodyOf({ exchanges }: Case): string {
  return Buffer.concat(messageIn(exchanges.at(-1)?.get('request') ?? '').parts).toString('latin1');
}

/** Bytes from one cut to the next where not every one is met. */
const STRIDE = 8;

/**
 * As `otherArrivals`, but cut at each eighth byte. The scanner is the same however a body is held and whatever is decided
 * on it, and meets every cut of every body once, in host mode hold; the others differ in what comes before and after.
 * @param number of the case: with it the bytes differ, so that all of them are met by some case
 */
export function* someArrivals(given: Case, number: number): Generator<Arrival> {
  const pieces = messageIn(given.exchanges.at(-1)?.get('request') ?? '').parts.length;
  let cut = 0;
  for (const arrival of otherArrivals(given)) {
    const isCut = arrival.chunks.length === pieces + 1;
    if (!isCut || (cut++ + number) % STRIDE === 0) yield arrival;
  }
}

/** The same over HTTP/1.1 without a length: but for trailers, which Envoy leaves out there. */
export function* arrivalsInChunks(given: Case, number: number): Generator<Arrival> {
  for (const arrival of someArrivals(given, number)) {
    if (arrival.end !== 'trailers') yield { ...arrival, inChunks: true };
  }
}

/** Cut at every byte, one by one; but for the last one the pieces are the case's. */
function* arrivalsOf({ parts }: Message): Generator<Arrival> {
  const first = parts.slice(0, -1);
  const rest = Buffer.concat(parts.slice(-1));
  yield { chunks: [...first, rest], end: 'last' };
  if (first.length === 0) yield { chunks: [rest], end: 'trailers' };
  for (let cut = 1; cut < rest.length; cut++) {
    if (cut === EDGE && rest.length > 2 * EDGE) cut = rest.length - EDGE;
    // Which end follows which cut does not matter; both are met by every case.
    const end = cut % 2 === 0 ? 'empty' : 'last';
    yield { chunks: [...first, rest.subarray(0, cut), rest.subarray(cut)], end };
  }
  if (rest.length > 2 * EDGE) return;
  yield { chunks: [...first, ...[...rest].map((_, at) => rest.subarray(at, at + 1))], end: 'empty' };
}
