/** Levels of a value that rules walk through; more is no configuration, and would end the stack. */
export const mostLevels = 200;

/** Whether a value of JSON has at most so many levels. */
export function isShallow(value: unknown): boolean {
  const inside = (item: unknown): unknown[] =>
    typeof item === 'object' && item !== null ? Object.values(item as Record<string, unknown>) : [];
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels) return false;
    level = level.flatMap(inside);
  }
  return true;
}
