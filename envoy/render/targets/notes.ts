/** What is told where each Envoy has a session key of its own. */
export function isolatedSessions(plugin: Readonly<Record<string, unknown>>): string[] {
  const keys = (plugin['sessions'] as { keys?: unknown } | undefined)?.keys;
  if (keys !== undefined) return [];
  return ['Without sessions.keys a session ends with the Envoy that began it, and no other replica knows it.'];
}

/** For an Envoy that nobody gives the clusters of a catalog: it needs them, and not the names of its servers alone. */
export const noPolledCatalog = 'live delivery brings it, with the clusters of its servers (docs/live.md)';
