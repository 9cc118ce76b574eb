/** What clients call tools, by `overrides` of the configuration (docs/tools.md). */
export class ClientNames {
  /** By the name of the one tool, prefix included. */
  readonly #names = new Map<string, string>();
  /** Those that the tools of their servers lose. */
  readonly #prefixes: string[] = [];

  /** @param overrides as the configuration has them; what is no override is passed over */
  constructor(overrides: unknown) {
    for (const each of Array.isArray(overrides) ? (overrides as unknown[]) : []) {
      const { tool, name } = (each ?? {}) as { tool?: unknown; name?: unknown };
      if (typeof tool !== 'string' || typeof name !== 'string') continue;
      if (name === '*') this.#prefixes.push(tool.replace(/\*$/, ''));
      else this.#names.set(tool, name);
    }
  }

  /** @param tool the name without an override: the prefix of its server, and its name there */
  of(tool: string): string {
    const given = this.#names.get(tool);
    if (given !== undefined) return given;
    const prefix = this.#prefixes.find((each) => tool.startsWith(each));
    return prefix === undefined ? tool : tool.slice(prefix.length);
  }

  /** Whether an override gives this name to a tool. */
  isGiven(name: string): boolean {
    return [...this.#names.values()].includes(name);
  }
}
