import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { type GatewayServer, environmentNames } from '../../envoy/bootstrap.ts';
import { type HostMode, hostModes } from '../../envoy/engine/suitable.ts';
import { CommandError, exitCode } from '../io.ts';
import { sessionKeyVariable } from './session-key.ts';

/** A plugin configuration, its servers apart. */
export interface Configuration {
  readonly plugin: Readonly<Record<string, unknown>>;
  readonly servers: readonly GatewayServer[];
}

/**
 * Reads a plugin configuration, YAML or JSON. What its members may be is the module's to say; here only its outer form.
 * @throws CommandError with the place of each error
 */
export function readConfiguration(file: string): Configuration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`--config: ${(error as Error).message}`, exitCode.usage);
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    const lines = document.errors.map((error) => error.message.split('\n', 1)[0] ?? '');
    throw new CommandError(`${file} is neither YAML nor JSON`, exitCode.found, lines);
  }
  const value = document.toJS() as unknown;
  if (!isObject(value)) throw new CommandError(`${file}: expected an object with servers`, exitCode.found);
  const { servers, ...plugin } = value;
  if (!Array.isArray(servers) || servers.length === 0) {
    throw new CommandError(`${file}: servers: expected a list of at least one server`, exitCode.found);
  }
  // Which of them are objects with name and url is found out, and told, by gatewayBootstrap.
  return { plugin, servers: servers as GatewayServer[] };
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
