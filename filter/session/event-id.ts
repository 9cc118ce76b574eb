import { Arena, make } from '../bytes/arena';
import { Span, after, length, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { openSealed, sealedLength, writeSealed } from './sealed-text';
import { Session } from './token';

/**
 * The id under which a client gets an event of a server's stream, and which it sends in `Last-Event-ID` to have the stream
 * go on (MCP transports: resumability). Some servers put their session id into it, and two servers number their events
 * alike; so the client gets sealed-text.ts of
 *
 *     │ fingerprint (8) │ the server's own id … │
 */
/** Bytes of the longest id of a server that gets one; it goes into a header of the request that resumes. */
export const MOST_OF_EVENT_ID: i32 = 2048;

const FIXED: i32 = 8;
const PURPOSE = literal('sluice event');

/** Which stream an id names. */
@unmanaged
export class EventId {
  /** The server's, as it was under the key of the session; see `Key.fingerprintOf`. */
  fingerprint: u64;
  /** As the server wrote it: any bytes but ends of lines. */
  original: Span;
}

/** The characters; NONE where the original is longer than MOST_OF_EVENT_ID. @param fingerprint of the server */
export function sealEventId(session: Session, fingerprint: u64, original: Span, arena: Arena): Span {
  if (length(original) > MOST_OF_EVENT_ID) return NONE;
  const size = FIXED + length(original);
  const plain = newWriter(arena, size as usize)
    .u64(session.key.fingerprintOf(fingerprint))
    .bytes(original).written;
  const id = newWriter(arena, sealedLength(size) as usize);
  writeSealed(id, session, PURPOSE, plain);
  return id.written;
}

/** Null where it is none that was made here in this session. @param id as the client sends it */
export function openEventId(session: Session, id: Span, arena: Arena): EventId | null {
  if (length(id) > sealedLength(FIXED + MOST_OF_EVENT_ID)) return null;
  const plain = openSealed(session, PURPOSE, id, arena);
  if (length(plain) <= FIXED) return null;
  const found = make<EventId>(arena);
  found.fingerprint = load<u64>(pointer(plain));
  found.original = after(plain, FIXED as u32);
  return found;
}
