import { existsSync } from 'node:fs';
import { ownFile, version } from '../../common/home.ts';
import { checkFiles } from '../../envoy/check/files.ts';
import type { Finding } from '../../envoy/check/finding.ts';
import { type ModuleFile, readModule } from '../../envoy/check/module.ts';
import { envoyYaml } from '../../envoy/yaml/write.ts';
import { type Configuration, type Migration, written } from './configuration.ts';

/** Each round leaves out what the one before found; what is still wrong then is not mended by leaving out. */
const mostRounds = 8;

/**
 * As much of what was read as the module takes, by the same check as that of `sluice check`: a tool, a server or a virtual
 * server that is refused is left out, with the reason and the place where it came from.
 * @throws Error with `details` where nothing is left
 */
export async function judged({ configuration: wanted, origins, leftOut }: Migration): Promise<Configuration> {
  const module = builtModule();
  let configuration = withKeys(wanted, origins);
  for (let round = 0; module !== undefined && round < mostRounds; round++) {
    if (configuration.servers.length === 0) break;
    const errors = await errorsOf(withoutKeys(configuration), module);
    if (errors.length === 0) return withoutKeys(configuration);
    const refused = new Map(errors.map((error) => [partOf(error.path), error]));
    for (const [part, { path, message }] of refused) {
      const origin = originOf(part, configuration);
      const at = path.slice(part.length).replace(/^\./, '');
      leftOut.add(origin ?? part, `is left out: ${at === '' ? '' : `${at}: `}${message}`);
    }
    configuration = without(configuration, [...refused.keys()]);
  }
  if (module === undefined && configuration.servers.length > 0) return withoutKeys(configuration);
  const details = leftOut.all.map(({ place, why }) => `${place}: ${why}`);
  throw Object.assign(new Error('nothing of it can be served'), { details });
}

/** Parts carry where they came from while others are left out beside them. */
const origin = Symbol('origin');

function withKeys(configuration: Configuration, origins: ReadonlyMap<string, string>): Configuration {
  const marked = <T extends object>(part: T, path: string): T => ({ ...part, [origin]: origins.get(path) ?? path });
  return {
    ...configuration,
    servers: configuration.servers.map((server, index) => {
      const at = `servers[${index}]`;
      const tools = toolsOf(server).map((tool, place) => marked(tool, `${at}.rest.tools[${place}]`));
      const rest = server['rest'] === undefined ? {} : { rest: { ...(server['rest'] as object), tools } };
      return marked({ ...server, ...rest }, at);
    }),
    virtualServers: configuration.virtualServers.map((each, index) => marked(each, `virtualServers[${index}]`)),
  };
}

function withoutKeys(configuration: Configuration): Configuration {
  return structuredClone(configuration); // symbols stay behind
}

function toolsOf(server: Readonly<Record<string, unknown>>): readonly object[] {
  return (server['rest'] as { tools?: readonly object[] } | undefined)?.tools ?? [];
}

function builtModule(): ModuleFile | undefined {
  const file = ownFile('build/plugin.wasm');
  return existsSync(file) ? readModule(file, 'build/plugin.wasm', version) : undefined;
}

async function errorsOf(configuration: Configuration, module: ModuleFile): Promise<Finding[]> {
  const bytes = Buffer.from(envoyYaml(written(configuration)));
  const findings = await checkFiles([{ name: 'configuration', bytes }], { module });
  return findings.filter(({ severity }) => severity === 'error');
}

/** The smallest part that a path lies in and that can be left out alone; empty where there is none. */
function partOf(path: string): string {
  const [part] =
    /^servers\[\d+\]\.rest\.tools\[\d+\]/.exec(path) ?? /^(?:servers|virtualServers)\[\d+\]/.exec(path) ?? [];
  return part ?? '';
}

function originOf(part: string, { servers, virtualServers }: Configuration): string | undefined {
  const [, list, index, tool] = /^(servers|virtualServers)\[(\d+)\](?:\.rest\.tools\[(\d+)\])?/.exec(part) ?? [];
  const entry = (list === 'servers' ? servers : virtualServers)[Number(index)];
  const found = tool === undefined || entry === undefined ? entry : toolsOf(entry as ServerLike)[Number(tool)];
  return (found as { [origin]?: string } | undefined)?.[origin];
}

type ServerLike = Readonly<Record<string, unknown>>;

function without(configuration: Configuration, parts: readonly string[]): Configuration {
  const refused = new Set(parts);
  if (refused.has('')) return { ...configuration, servers: [] };
  const servers = configuration.servers.flatMap((server, index) => {
    const at = `servers[${index}]`;
    if (refused.has(at)) return [];
    const all = toolsOf(server);
    const tools = all.filter((_, place) => !refused.has(`${at}.rest.tools[${place}]`));
    if (tools.length === all.length) return [server];
    return tools.length === 0 ? [] : [{ ...server, rest: { ...(server['rest'] as object), tools } }];
  });
  const virtualServers = configuration.virtualServers.filter((_, index) => !refused.has(`virtualServers[${index}]`));
  return { ...configuration, servers, virtualServers };
}
