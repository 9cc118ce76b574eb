/** Whether a value is a path that MCP can be served at, and that a closed route can match. */
export function isEndpoint(value: unknown): value is string {
  return typeof value === 'string' && /^(?:\/[^/?#\s]+)+$/.test(value);
}
