/** Runs `step` for each item, at most `atOnce` at a time; reading one file overlaps with hashing another. */
export async function forEach<T>(items: Iterable<T>, atOnce: number, step: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await step(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
