import { EngineError } from '../envoy/engine/error.ts';
import { CommandError, type Io, exitCode } from './io.ts';
import { type StartEvent, jsonEvents, textEvents } from './start/events.ts';
import { startGateway } from './start/gateway.ts';
import { parseStart, startUsage } from './start/options.ts';
import { Running } from './start/running.ts';
import { stopSignals } from './start/signals.ts';

/**
 * `sluice start`: runs the gateway and what it needs until SIGINT, SIGTERM or SIGHUP; a second signal ends all at once.
 * Returns the exit code and never throws: 0 after a clean stop, 1 for a configuration that is refused, 2 for wrong
 * arguments, 3 where the machine lacks something, or a process ended that should not have.
 */
export async function start(args: string[], io: Io): Promise<number> {
  const emit = args.includes('--json') ? jsonEvents(io) : textEvents(io);
  const running = new Running();
  const { stop, release } = stopSignals(() => {
    running.kill();
  });
  let code: number = exitCode.ok;
  try {
    const options = parseStart(args);
    if (options.help) {
      io.out(startUsage);
      return exitCode.ok;
    }
    emit(await startGateway(options, { io, running, stop, emit }));
    await running.untilStopped(stop);
  } catch (error) {
    // What fails after the end was asked for fails because of it.
    if (!stop.aborted) code = report(error, emit);
  } finally {
    await running.stop();
    release();
  }
  if (code === exitCode.ok) emit({ event: 'stopped' });
  return code;
}

function report(error: unknown, emit: (event: StartEvent) => void): number {
  const { message, details = [] } = error as Error & { details?: readonly string[] };
  emit({ event: 'error', message, ...(details.length > 0 && { details }) });
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof EngineError && error.kind === 'configuration' ? exitCode.found : exitCode.environment;
}
