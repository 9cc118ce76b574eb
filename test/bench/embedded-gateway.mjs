// The embedded engine in a process of its own: `embedded-gateway.mjs ENGINE`, a compiled one. Its options come as the first
// message, and the port of its listener goes back.
import { once } from 'node:events';
import { createRequire } from 'node:module';

process.once('disconnect', () => process.exit());
const options = once(process, 'message');
const { startEmbedded } = createRequire(import.meta.url)(process.argv[2]);
const [given] = await options;
const { listeners } = await startEmbedded(given);
const [address] = listeners.values();
process.send(Number(address.split(':').at(-1)));
