// The embedded engine in a process of its own, for embedded-process.ts: options come as the first message, `ready` or
// `error` goes back, and a second message ends it in good order.
import { once } from 'node:events';
import { EngineError } from '../../common/engine-error.ts';
import { type EmbeddedOptions, startEmbedded } from '../../envoy/embedded/index.ts';
import type { Told } from './embedded-process.ts';

const tell = (told: Told, sent?: () => void): void => {
  process.send?.(told, sent);
};

process.once('disconnect', () => process.exit(1)); // whoever started it is gone
const options = once(process, 'message');
tell({ event: 'loaded' });
try {
  const [given] = (await options) as [EmbeddedOptions];
  const running = await startEmbedded(given);
  const { version, adminUrl } = running;
  tell({ event: 'ready', version, adminUrl, listeners: [...running.listeners] });
  void running.exited.then((exit) => {
    tell({ event: 'exit', exit }, () => process.exit(exit.code ?? 1));
  });
  process.once('message', () => void running.stop());
} catch (error) {
  const said = error instanceof EngineError ? error : new EngineError(String((error as Error).stack));
  const { message, kind, details } = said;
  tell({ event: 'error', message, kind, details }, () => process.exit(1));
}
