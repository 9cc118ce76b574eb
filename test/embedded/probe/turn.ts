import { request } from 'node:http';
import { turnAuthority } from './bootstrap.ts';

/** Far more than what was written needs from a client through a worker, over a connection that is new, to a server. */
const TURNS = 8;

/**
 * Waits until the only worker of an engine has dealt with all that it was sent until now: a request on a connection of its
 * own, which comes behind it, has been answered, several times. No length of time on a clock says that.
 * @param address of a listener without filters
 */
export function workerTurns(address: string): () => Promise<void> {
  let last = Promise.resolve();
  let next: Promise<void> | undefined;
  const turn = async (): Promise<void> => {
    next = undefined; // who asks from now on asks about more
    for (let count = 0; count < TURNS; count++) await answered(address);
  };
  // One at a time is enough for all who wait.
  return () => (next ??= last = last.then(turn));
}

async function answered(address: string): Promise<void> {
  return new Promise((resolve) => {
    const sent = request(`http://${address}/`, { headers: { host: turnAuthority }, agent: false }, (response) => {
      response.resume();
    });
    sent.on('error', () => undefined); // an engine that has ended does nothing more
    sent.once('close', resolve);
    sent.end();
  });
}
