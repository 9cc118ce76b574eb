import { readConfiguration as readFile } from '../../envoy/check/configuration.ts';
import { byPlace } from '../../envoy/check/finding.ts';
import type { SourceFile } from '../../envoy/check/files.ts';
import { askModuleOnce } from '../../envoy/check/module.ts';
import { readLimited } from '../../envoy/check/read-file.ts';
import { type GatewayServer, environmentNames } from '../../envoy/render/bootstrap.ts';
import { type HostMode, hostModes } from '../../envoy/engine/suitable.ts';
import { CommandError, exitCode } from '../io.ts';
import { sessionKeyVariable } from './session-key.ts';

/** A plugin configuration, its servers apart. */
export interface Configuration {
  readonly plugin: Readonly<Record<string, unknown>>;
  readonly servers: readonly GatewayServer[];
}

/** @throws CommandError (wrong use) where it cannot be read */
export function readSource(file: string, flag = '--config'): SourceFile {
  try {
    return { name: file, bytes: readLimited(file) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(`${flag}: ${code === 'ENOENT' ? `there is no ${file}` : message}`, exitCode.usage);
  }
}

/**
 * Reads a plugin configuration, YAML or JSON, as `sluice check` does. What its members may be, the engine lets the module
 * say; where the configuration cannot be run in any case, the module is asked here, so that all errors are told at once.
 * @throws CommandError with the place of each error
 */
export async function readConfiguration({ name, bytes }: SourceFile, module: Uint8Array): Promise<Configuration> {
  const { findings, report, configuration } = readFile(name, bytes, 'start');
  const isError = ({ severity }: { severity: string }): boolean => severity === 'error';
  if (findings.some(isError) || configuration?.file === undefined) {
    if (configuration !== undefined) await askModuleOnce(module, { ...configuration, rootId: 'sluice' }, report);
    const errors = findings.filter(isError).sort(byPlace);
    const lines = errors.map(({ line, column, path, message }) =>
      [`${name}:${line}:${column}`, path, message].filter((part) => part !== '').join(': '),
    );
    throw new CommandError(
      `the configuration has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}`,
      exitCode.found,
      lines,
    );
  }
  const { plugin, servers } = configuration.file;
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
