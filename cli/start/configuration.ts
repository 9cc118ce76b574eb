import type { SourceFile } from '../../envoy/check/files.ts';
import { type GatewayServer, environmentNames } from '../../envoy/render/bootstrap.ts';
import { type HostMode, hostModes } from '../../envoy/engine/suitable.ts';
import { readJudged } from '../configuration-file.ts';
import { CommandError, exitCode } from '../io.ts';
import { sessionKeyVariable } from './session-key.ts';

/** A plugin configuration, its servers apart. */
export interface Configuration {
  readonly plugin: Readonly<Record<string, unknown>>;
  readonly servers: readonly GatewayServer[];
}

/**
 * Reads a plugin configuration as `sluice check` does. What its members may be, the engine lets the module say.
 * @throws CommandError with the place of each error
 */
export async function readConfiguration(source: SourceFile, module: Uint8Array): Promise<Configuration> {
  const { plugin, servers } = await readJudged(source, { use: 'start', module, ask: 'where wrong' });
  return { plugin, servers: servers.map(({ entry }) => entry as GatewayServer) };
}

/**
 * Which host mode it runs in, and the configuration that says so.
 * @param asked by the command line
 * @throws CommandError where both say something, and not the same: neither is silently replaced
 */
export function withHostMode({ plugin, servers }: Configuration, asked: HostMode | undefined): Configuration {
  const configured = plugin['hostMode'];
  if (asked !== undefined && configured !== undefined && configured !== asked) {
    const said = JSON.stringify(configured);
    throw new CommandError(
      `--host-mode ${asked}: the configuration says hostMode ${said}; say one of them`,
      exitCode.usage,
    );
  }
  return { plugin: { ...plugin, hostMode: asked ?? configured ?? 'hold' }, servers };
}

/** The mode of such a configuration, for finding an Envoy; what is none is the module's to refuse. */
export function hostModeOf({ plugin }: Configuration): HostMode {
  return hostModes.find((mode) => mode === plugin['hostMode']) ?? 'hold';
}

/** Adds the session key of `start` where the configuration names none of its own. */
export function withSessionKey({ plugin, servers }: Configuration): Configuration {
  const sessions = plugin['sessions'] ?? {};
  if (!isObject(sessions) || sessions['keys'] !== undefined) return { plugin, servers };
  return { plugin: { ...plugin, sessions: { ...sessions, keys: [{ id: 1, env: sessionKeyVariable }] } }, servers };
}

/**
 * The environment variables that a configuration names, with their values.
 * @throws CommandError that names every one that is not set: the module would refuse its configuration for it
 */
export function environmentFor(configuration: Configuration, env: NodeJS.ProcessEnv): Record<string, string> {
  const names = environmentNames(configuration);
  const unset = names.filter((name) => env[name] === undefined);
  if (unset.length > 0) {
    throw new CommandError(`the configuration names environment variables that are not set: ${unset.join(', ')}`);
  }
  return Object.fromEntries(names.map((name) => [name, env[name] ?? '']));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
