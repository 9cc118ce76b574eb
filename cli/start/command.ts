import { EngineError } from '../../common/engine-error.ts';
import { command, type Context } from '../command.ts';
import { exitCode } from '../io.ts';
import { type StartEvent, printed } from './events.ts';
import { startGateway } from './gateway.ts';
import { type StartOptions, readStart, startFlags, startUsage } from './options.ts';
import { Running } from './running.ts';
import { stopSignals } from './signals.ts';

/**
 * `sluice start`: runs the gateway and what it needs until SIGINT, SIGTERM or SIGHUP; a second signal ends all at once.
 * Exit codes: 0 after a clean stop, 1 for a configuration that is refused, 2 for wrong arguments, 3 where the machine lacks
 * something, or a process ended that should not have.
 */
export const start = command({
  name: 'start',
  usage: startUsage,
  flags: startFlags,
  takesArguments: false,
  read: readStart,
  print: printed,
  run,
  isFound: (error) => error instanceof EngineError && error.kind === 'configuration',
});

async function run(options: StartOptions, context: Context<StartEvent>): Promise<number> {
  const { emit, fail } = context;
  const running = new Running();
  const { stop, release } = stopSignals(() => {
    running.kill();
  });
  let code: number = exitCode.ok;
  try {
    emit(await startGateway(options, { ...context, running, stop }));
    await running.untilStopped(stop);
  } catch (error) {
    // What fails after the end was asked for fails because of it.
    if (!stop.aborted) code = fail(error);
  } finally {
    await running.stop();
    release();
  }
  if (code === exitCode.ok) emit({ event: 'stopped' });
  return code;
}
