import * as z from 'zod';

/** What `sluice lock` writes: the definitions of tools that somebody has looked at, and found good. */
const toolsLock = z.object({
  tools: z.record(
    z.string(),
    z.object({
      server: z.string(),
      /** What `pins.tools` of the configuration holds: of the definition as its server sent it, see docs/pins.md. */
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      /** For who reads the file, and for the difference to the next one. */
      definition: z.record(z.string(), z.unknown()),
    }),
  ),
});

export type ToolsLock = z.infer<typeof toolsLock>;
export type LockedTool = ToolsLock['tools'][string];

/** @throws Error with a sentence */
export function parseToolsLock(text: string): ToolsLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error('is not JSON', { cause: error });
  }
  const parsed = toolsLock.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] ?? { path: [], message: '' };
  throw new Error(`is no lock file of tools: ${path.map(String).join('.')}: ${message}`);
}

export function toolsLockText({ tools }: ToolsLock): string {
  const sorted = Object.entries(tools).sort(([one], [other]) => (one < other ? -1 : 1));
  return `${JSON.stringify({ tools: Object.fromEntries(sorted) }, null, 2)}\n`;
}

/** What `pins.tools` of the configuration holds. */
export function pinsIn({ tools }: ToolsLock): Record<string, string> {
  return Object.fromEntries(Object.entries(tools).map(([name, { digest }]) => [name, digest]));
}
