import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for a machine that is busy with other things; nothing is asserted about what it takes. */
const usualPatience = 15_000;

/** Waits until something holds. @param patience in ms @throws Error that names it, where it does not hold by then */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience = usualPatience,
): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${patience / 1000} s in vain until ${what}`);
    await sleep(10);
  }
}
