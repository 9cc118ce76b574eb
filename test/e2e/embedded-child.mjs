// The embedded engine in a process of its own, for embedded-process.ts: options come as the first message, `ready` or
// `error` goes back, and a second message ends it in good order.
import { once } from 'node:events';
import { register } from 'tsx/esm/api';

register();
const { startEmbedded } = await import('../../envoy/embedded/index.ts');
const { EngineError } = await import('../../common/engine-error.ts');

process.once('disconnect', () => process.exit(1)); // whoever started it is gone
const options = once(process, 'message');
process.send({ event: 'loaded' });
try {
  const [given] = await options;
  const running = await startEmbedded(given);
  process.send({ event: 'ready', adminUrl: running.adminUrl, listeners: [...running.listeners] });
  void running.exited.then((exit) => process.send({ event: 'exit', exit }, () => process.exit(exit.code ?? 1)));
  process.once('message', () => void running.stop());
} catch (error) {
  const { message, kind, details } = error instanceof EngineError ? error : new EngineError(String(error.stack));
  process.send({ event: 'error', message, kind, details }, () => process.exit(1));
}
