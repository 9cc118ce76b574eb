/** The two ways in which MCP is spoken, as bits: a method is of one, or of both. */
export const enum Era {
  /** With sessions: 2024-11-05 to 2025-11-25. */
  Sessions = 1,
  /** Each request by itself: 2026-07-28. */
  Stateless = 2,
}
