import { createHash } from 'node:crypto';
import { environmentNames } from '../bootstrap.ts';
import { runModule } from './isolation.ts';
import type { Problem } from './problem.ts';
import { problemsOf } from './verdict.ts';

export type { Problem } from './problem.ts';

export interface CheckOptions {
  /** Values of environment variables that the configuration names; those that are absent are stood in for. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long the module may take, in ms; 10 s unless said otherwise. */
  readonly timeLimit?: number;
}

/** Envoy's own log and config_dump are of no use with more. */
const mostBytes = 16 << 20;

/**
 * Lets a Sluice module judge a plugin configuration: it runs its real on_configure in a VM of its own, on a thread that
 * is ended afterwards, in bounded time and memory, without network. So the verdict is the module's own, whatever its
 * version. Secrets live on the gateway and not where one checks: a variable that is not given is stood in for.
 * @param module a module's bytes; those of anything else are a problem too
 * @param configuration the plugin configuration as an object
 * @returns everything that is wrong, in the module's order; without an error the module accepts it
 */
export async function checkPlugin(
  module: Uint8Array,
  configuration: object,
  { environment = {}, timeLimit = 10_000 }: CheckOptions = {},
): Promise<Problem[]> {
  let text: string;
  try {
    text = JSON.stringify(configuration);
  } catch {
    return [wrong('cannot be written as JSON: it refers to itself, or is nested too deeply')];
  }
  if (text.length > mostBytes) return [wrong(`has ${text.length} bytes; at most ${mostBytes} are checked`)];
  const standIns = environmentNames(configuration).map((name) => [name, standIn(name)] as const);
  const run = await runModule({
    module,
    configuration: text,
    environment: { ...Object.fromEntries(standIns), ...environment },
    timeLimit,
  });
  return problemsOf(run, configuration);
}

function wrong(message: string): Problem {
  return { path: '', message, severity: 'error' };
}

/** Valid as a session key (32 bytes, base64url) and as a header's value; the same each time, another for each name. */
function standIn(name: string): string {
  return createHash('sha256').update(`stand-in for ${name}`).digest('base64url');
}
