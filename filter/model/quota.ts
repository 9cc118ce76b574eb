/** How many requests may come in a time, each subject, server or tool for itself. */
@unmanaged
export class Quota {
  /** Which requests share a budget: those that agree in all of these. */
  perSubject: bool;
  perServer: bool;
  /** It counts calls of tools alone. */
  perTool: bool;
  /** Nanoseconds in which one request more may come. */
  pace: u64;
  /** Nanoseconds: what a budget that nobody has used is good for. */
  interval: u64;
}
