import { Span, equals, literal, NONE } from '../bytes/span';

/** Revisions of the protocol, oldest first, as sealed into session tokens: never renumber. */
export const enum Revision {
  Unknown,
  V2024_11_05,
  V2025_03_26,
  V2025_06_18,
  V2025_11_25,
  /** Stateless: a server of it is asked in host mode `headers`, and a client of it served there. */
  V2026_07_28,
}

const V2024_11_05 = literal('2024-11-05');
const V2025_03_26 = literal('2025-03-26');
const V2025_06_18 = literal('2025-06-18');
const V2025_11_25 = literal('2025-11-25');
export const STATELESS = literal('2026-07-28');

/** What is answered to a client that offers a revision we do not know (MCP lifecycle: "another version it supports"). */
export const LATEST = Revision.V2025_11_25;

/** As JSON, newest first. */
export const SUPPORTED_JSON = literal('["2025-11-25","2025-06-18","2025-03-26","2024-11-05"]');

export function revisionText(revision: Revision): Span {
  switch (revision) {
    case Revision.V2024_11_05:
      return V2024_11_05;
    case Revision.V2025_03_26:
      return V2025_03_26;
    case Revision.V2025_06_18:
      return V2025_06_18;
    case Revision.V2025_11_25:
      return V2025_11_25;
    case Revision.V2026_07_28:
      return STATELESS;
    default:
      return NONE;
  }
}

export const STATELESS_JSON = literal('["2026-07-28"]');

/** The revision of that name, among those with sessions. */
export function revisionOf(text: Span): Revision {
  for (let revision: i32 = LATEST; revision > Revision.Unknown; revision--) {
    if (equals(text, revisionText(revision))) return revision;
  }
  return Revision.Unknown;
}
