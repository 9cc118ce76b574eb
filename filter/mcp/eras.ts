import { Span, equals, NONE } from '../bytes/span';
import { Revision, STATELESS } from './revisions';

/** The two ways in which MCP is spoken, as bits: a method is of one, or of both. */
export const enum Era {
  /** With sessions: 2024-11-05 to 2025-11-25. */
  Sessions = 1,
  /** Each request by itself: 2026-07-28. */
  Stateless = 2,
}

export function eraOf(revision: Revision): Era {
  return revision === Revision.V2026_07_28 ? Era.Stateless : Era.Sessions;
}

/**
 * The era of a request. A claim in the body decides, whatever version it names: only stateless revisions have one. Else
 * the header does, but for `initialize`, which no stateless revision has.
 * @param claims the body has a claim. @param version the header, or NONE
 */
export function eraOfRequest(claims: bool, opens: bool, version: Span): Era {
  if (claims) return Era.Stateless;
  return !opens && version !== NONE && equals(version, STATELESS) ? Era.Stateless : Era.Sessions;
}
