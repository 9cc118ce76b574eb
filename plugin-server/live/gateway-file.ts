import { parseDocument } from 'yaml';
import type { Problem } from '../../envoy/check/plugin.ts';
import { type Server, readServers } from '../../envoy/servers.ts';
import { nearest } from '../nearest.ts';
import { type ModuleRequest, defaultModule, isVersionRequest } from './modules.ts';

/** The file in a gateway's directory that says everything about it. */
export const gatewayFileName = 'sluice.yaml';

/** Bytes. A configuration of a thousand servers has a tenth of it. */
export const gatewayFileLimit = 1024 * 1024;

/** A gateway's file, taken apart. */
export interface GatewayFile {
  /** The plugin configuration but for its servers. */
  readonly plugin: Readonly<Record<string, unknown>>;
  readonly servers: readonly Server[];
  readonly module: ModuleRequest;
}

export const problem = (path: string, message: string, severity: Problem['severity'] = 'error'): Problem => ({
  path,
  message,
  severity,
});

/**
 * Reads a gateway's file: the plugin configuration that `sluice start --config` takes, and `module`. What its other
 * members may be is the module's to say.
 * @returns the file as far as it could be read, which is enough to check the rest of it, and all that is wrong
 */
export function parseGatewayFile(text: string): { file: GatewayFile | undefined; problems: Problem[] } {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    const lines = document.errors.map((error) => error.message.split('\n', 1)[0]?.replace(/:$/, '') ?? '');
    return { file: undefined, problems: lines.map((line) => problem('', `neither YAML nor JSON: ${line}`)) };
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { file: undefined, problems: [problem('', (error as Error).message)] }; // too many aliases
  }
  if (!isObject(value)) {
    return { file: undefined, problems: [problem('', 'expected an object with servers')] };
  }
  const { servers: entries, module = {}, ...plugin } = value;
  const problems: Problem[] = [];
  const request = readModule(module, problems);
  if (!Array.isArray(entries) || entries.length === 0) {
    problems.push(problem('servers', 'expected a list of at least one server'));
    return { file: undefined, problems };
  }
  const read = readServers(entries, { foreignClusters: true });
  problems.push(...read.problems.map(({ path, message }) => problem(path, message)));
  return { file: { plugin, servers: read.servers, module: request }, problems };
}

const moduleMembers = ['name', 'version'];

function readModule(value: unknown, problems: Problem[]): ModuleRequest {
  if (!isObject(value)) {
    problems.push(problem('module', 'expected an object like { name: sluice, version: ^0.1 }'));
    return defaultModule;
  }
  for (const member of Object.keys(value).filter((each) => !moduleMembers.includes(each))) {
    const meant = nearest(member.slice(0, 128), moduleMembers) ?? '';
    problems.push(problem(`module.${member}`, `is no member of a module; did you mean ${meant}?`));
  }
  const { name = defaultModule.name, version = defaultModule.version } = value;
  if (typeof name !== 'string') {
    problems.push(problem('module.name', `expected the name of a module, found ${JSON.stringify(name)}`));
  }
  if (typeof version !== 'string' || !isVersionRequest(version)) {
    // YAML reads 0.1 as a number, and 1.10 as 1.1.
    const quoted = typeof version === 'number' ? ' (put it into quotes)' : '';
    const found = JSON.stringify(version);
    problems.push(
      problem(
        'module.version',
        `expected a version like "0.1.0", a range like ^0.1, or latest, found ${found}${quoted}`,
      ),
    );
  }
  return {
    name: typeof name === 'string' ? name : defaultModule.name,
    version: typeof version === 'string' ? version : defaultModule.version,
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
