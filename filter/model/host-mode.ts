/** How the filter gets to see the body before the headers leave; see the files of that name in host/modes/. */
export const enum HostMode {
  Hold,
  Pair,
  Headers,
}
