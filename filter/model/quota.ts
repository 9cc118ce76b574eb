/** How many requests may come in a time, or calls be under way at once, each subject, server or tool for itself. */
@unmanaged
export class Quota {
  /** Which requests share a budget: those that agree in all of these. */
  perSubject: bool;
  perServer: bool;
  /** It counts calls of tools alone. */
  perTool: bool;
  /** Calls of tools that may be under way at once; 0: it counts requests in a time. */
  concurrent: u32;
  /** Nanoseconds after which a call is counted no more, whether or not it has ended. */
  lease: u64;
  /** Nanoseconds in which one request more may come. */
  pace: u64;
  /** Nanoseconds: what a budget that nobody has used is good for. */
  interval: u64;
}
