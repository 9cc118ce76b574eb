import { NameSet } from './name-set';

/** How a line names who asked. In the order of the configuration's names. */
export const enum AuditSubject {
  /** By a keyed hash: it tells the same caller again, and nobody who that is. */
  Hash,
  Plain,
  None,
}

/** The record of who called what, and what was decided on it. */
@unmanaged
export class Audit {
  /** The level of the log, a number of the ABI. */
  level: u32;
  subject: AuditSubject;
  /** Bytes of the arguments of a call in a line; 0: none. */
  argumentBytes: u32;
  /** Names of members whose values are left out, in the form of json/folded.ts. */
  mask: NameSet;
  /** What each worker may write in a minute. */
  linesPerMinute: u32;
}
