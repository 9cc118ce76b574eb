import { createHash } from 'node:crypto';
import { environmentNames } from '../render/bootstrap.ts';
import { isShallow } from '../yaml/depth.ts';
import { ModuleThread } from './isolation.ts';
import type { Problem } from './problem.ts';
import { problemsOf } from './module-problems.ts';

export type { Problem } from './problem.ts';

export interface CheckOptions {
  /** Values of environment variables that the configuration names; those that are absent are stood in for. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The part that the module plays; hostMode `pair` has two. */
  readonly rootId?: string;
  /** How long the module may take, in ms; 10 s unless said otherwise. */
  readonly timeLimit?: number;
}

/** Envoy's own log and config_dump are of no use with more. */
const mostBytes = 16 << 20;

/**
 * Lets a Sluice module judge a plugin configuration: it runs its real on_configure in a VM of its own, on a thread that
 * is ended afterwards, in bounded time and memory, without network. So the problems are the module's own, whatever its
 * version. Secrets live on the gateway and not where one checks: a variable that is not given is stood in for.
 * @param module a module's bytes; those of anything else are a problem too
 * @param configuration the plugin configuration as an object
 * @returns everything that is wrong, in the module's order; without an error the module accepts it
 */
export async function checkPlugin(
  module: Uint8Array,
  configuration: object,
  options: CheckOptions = {},
): Promise<Problem[]> {
  let text: string;
  try {
    text = JSON.stringify(configuration);
  } catch {
    return [wrong('cannot be written as JSON: it refers to itself, or is nested too deeply')];
  }
  const thread = new ModuleThread();
  try {
    return await checkPluginText(thread, module, text, options);
  } finally {
    await thread.close();
  }
}

/**
 * As `checkPlugin`, for a configuration as Envoy gives it to the module: what is not JSON is the module's to refuse.
 * @param thread the caller's, who has more to ask
 */
export async function checkPluginText(
  thread: ModuleThread,
  module: Uint8Array,
  text: string,
  { environment = {}, rootId = 'sluice', timeLimit = 10_000 }: CheckOptions = {},
): Promise<Problem[]> {
  if (text.length > mostBytes) return [wrong(`has ${text.length} bytes; at most ${mostBytes} are checked`)];
  const configuration = parsed(text);
  const given = { ...standIns(environmentNames(configuration)), ...environment };
  const order = { module, rootId, configuration: text, environment: given };
  return problemsOf(await thread.run(order, timeLimit), configuration);
}

/** For the names in it. */
function parsed(text: string): object {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && isShallow(value) ? value : {};
  } catch {
    return {};
  }
}

function wrong(message: string): Problem {
  return { path: '', message, severity: 'error' };
}

/** Values that are valid as a session key (32 bytes, base64url) and in a header; the same each time for a name. */
export function standIns(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, createHash('sha256').update(`stand-in for ${name}`).digest('base64url')]),
  );
}
