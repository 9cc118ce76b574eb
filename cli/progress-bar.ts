import type { Io } from './io.ts';

const width = 30;

/**
 * A bar for a person who waits at a terminal; elsewhere nothing is written.
 * @returns to be called with how much is done; at the end of all, the bar goes away
 */
export function progressBar(io: Io, what: string, total: number): (done: number) => void {
  let shown = -1;
  return (done) => {
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    if (!io.interactive || percent === shown) return;
    shown = percent;
    const full = Math.round((width * percent) / 100);
    io.err(done >= total ? '\r\u001b[K' : `\r${what} [${'#'.repeat(full)}${' '.repeat(width - full)}] ${percent} %`);
  };
}
