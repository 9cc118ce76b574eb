import { contains, literal, startsWith } from '../bytes/span';
import { Answer, Ending } from './answer';

/** What Envoy says in a server's stead where the connection ended before any byte of an answer. */
const UNANSWERED = literal('upstream connect error or disconnect/reset before headers');
/** Those of its reasons where there was a connection, which the server ended without an answer. */
const TERMINATED = literal('connection termination');
const RESET = literal('remote reset');
/** That of a server which has not looked at the message, as it ends this connection (HTTP/2, RFC 9113 §8.7). */
const REFUSED = literal('remote refused stream reset');
/** That of a server whose answer is no HTTP, or more of it than Envoy takes. */
const NOT_HTTP = literal('protocol error');
/** Those where there was none. */
const NOT_CONNECTED = literal('connection failure');
const NOT_IN_TIME = literal('connection timeout');

/**
 * Whether a server cannot be reached, or hangs, whoever asks: connection faults, time-outs, and what proxies answer in
 * its stead. With any other status it has answered this client, and the next one may fare better.
 */
export function isFault(answer: Answer): bool {
  switch (answer.ending) {
    case Ending.Response:
      return answer.status >= 502 && answer.status <= 504;
    // That its turn did not come is nothing about the server.
    case Ending.NotAsked:
      return false;
    default:
      return true;
  }
}

/** Whether it took all the time that it had. */
export function hangs(answer: Answer): bool {
  return answer.ending === Ending.Unfinished || (answer.ending === Ending.Response && answer.status === 504);
}

/**
 * Whether a message of our own may be sent once more: a server that ends connections without a word takes the next
 * message down with the one that it had answered.
 */
export function isUnanswered(answer: Answer): bool {
  return isEnvoys(answer) && (contains(answer.body, TERMINATED) || contains(answer.body, RESET));
}

/** The same of any message: it cannot have run. */
export function isRefused(answer: Answer): bool {
  return isEnvoys(answer) && contains(answer.body, REFUSED);
}

/** Whether there was no connection, so that nobody has seen the message. */
export function isUnseen(answer: Answer): bool {
  return isEnvoys(answer) && (contains(answer.body, NOT_CONNECTED) || contains(answer.body, NOT_IN_TIME));
}

/** Whether Envoy could not read the beginning of the answer, and says so in its stead. */
export function isProtocolError(answer: Answer): bool {
  if (answer.ending !== Ending.Response || (answer.status !== 502 && answer.status !== 503)) return false;
  return startsWith(answer.body, UNANSWERED) && contains(answer.body, NOT_HTTP);
}

function isEnvoys(answer: Answer): bool {
  return answer.ending === Ending.Response && answer.status === 503 && startsWith(answer.body, UNANSWERED);
}
