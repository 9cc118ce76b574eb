import { Span, literal } from '../bytes/span';
import { errorRow, LAST_REASON, Reason } from './errors';

/** How a request ended, for metrics and the access log: a Reason, or one of these. */
export type Ended = i32;

/** The client went away, or Envoy gave up, before there was an answer. */
export const ABORTED: Ended = 0;
export const OK: Ended = LAST_REASON + 1;
/** Another filter, or Envoy in a way that is no row of our table, answered in our stead. */
export const OTHER: Ended = LAST_REASON + 2;
export const OUTCOMES: i32 = LAST_REASON + 3;

const ABORTED_TEXT = literal('aborted');
const OK_TEXT = literal('ok');
const OTHER_TEXT = literal('other');

export function endedWith(reason: Reason): Ended {
  return reason === Reason.None ? OK : (reason as i32);
}

export function reasonOf(ended: Ended): Reason {
  return ended > LAST_REASON ? Reason.None : ended;
}

export function endedText(ended: Ended): Span {
  if (ended === ABORTED) return ABORTED_TEXT;
  if (ended === OK) return OK_TEXT;
  return ended === OTHER ? OTHER_TEXT : errorRow(ended).name;
}
