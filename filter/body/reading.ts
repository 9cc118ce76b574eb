/** A body of which so much is here and not all, and whose destination is certain, is released. */
const RELEASED_FROM: u32 = 64 << 10;

/**
 * Whether so much has come of a body that it is sent on as it comes.
 * @param heldBody the limit of that name
 * @param endsInTrailers its end cannot be kept back (closing.ts): what may be read whole, is
 */
export function isLarge(held: u32, heldBody: u32, endsInTrailers: bool): bool {
  return endsInTrailers ? held > heldBody : held >= min(RELEASED_FROM, heldBody);
}

/**
 * Whether a body whose reply is known has been read far enough. Sent before its end the reply would cost the client its
 * connection; a body without end would cost us memory. A reply that lacks the id of its request waits for it, no longer
 * than for as many bytes.
 * @param received bytes of it that have come @param from how many of them had come when the reply was known
 * @param drainBytes the limit of that name
 */
export function isDrained(received: u32, from: u32, drainBytes: u32, awaitsId: bool): bool {
  return received > drainBytes && (received - from > drainBytes || !awaitsId);
}
