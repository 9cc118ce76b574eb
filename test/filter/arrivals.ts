import type { Case } from './cases.ts';
import { type Arrival, type Message, messageIn } from './messages.ts';

/** Of a body of more than these bytes only its beginning and its end are cut. */
const LARGE = 600;
const EDGE = 100;

/** All other ways in which the last body of a case can come. */
function otherArrivals({ exchanges }: Case): Iterable<Arrival> {
  const message = messageIn(exchanges.at(-1)?.get('request') ?? '');
  return message.body.length === 0 ? [] : arrivalsOf(message);
}

/** The bytes of the last body of a case. */
export function bodyOf({ exchanges }: Case): string {
  return Buffer.concat(messageIn(exchanges.at(-1)?.get('request') ?? '').parts).toString('latin1');
}

/** Bytes from one cut to the next: of a body that no case before had, and of one that is met again. */
const STRIDES = process.env['SLUICE_PROOFS'] === 'full' ? { first: 1, again: 8 } : { first: 3, again: 8 };

/**
 * The other ways in which the last body of a case can come, cut at each third or eighth byte. The scanner is the same
 * however a body is held and whatever is decided on it: with SLUICE_PROOFS=full every body is cut at every byte once, in host
 * mode hold; the others differ in what comes before and after.
 * @param number of the case: with it the bytes differ, so that all of them are met by some case
 */
export function* someArrivals(given: Case, number: number, isNew = false): Generator<Arrival> {
  const stride = isNew ? STRIDES.first : STRIDES.again;
  const pieces = messageIn(given.exchanges.at(-1)?.get('request') ?? '').parts.length;
  let cut = 0;
  for (const arrival of otherArrivals(given)) {
    const isCut = arrival.chunks.length === pieces + 1;
    if (!isCut || (cut++ + number) % stride === 0) yield arrival;
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
    if (cut === EDGE && rest.length > LARGE) cut = rest.length - EDGE;
    // Which end follows which cut does not matter; both are met by every case.
    const end = cut % 2 === 0 ? 'empty' : 'last';
    yield { chunks: [...first, rest.subarray(0, cut), rest.subarray(cut)], end };
  }
  if (rest.length > LARGE) return;
  yield { chunks: [...first, ...[...rest].map((_, at) => rest.subarray(at, at + 1))], end: 'empty' };
}
