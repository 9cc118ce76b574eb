import { type ModuleRequest, defaultModule, isVersionRequest } from './module-request.ts';
import type { CatalogRequest } from '../render/catalog-request.ts';
import { readCatalogRequest } from './catalog-request.ts';
import { isEndpoint } from '../render/endpoint.ts';
import { type LocatedServer, asksNobody, moduleConfiguration, needsUrl, readServers } from '../render/servers.ts';
import { checkAdvice } from './advice.ts';
import { withPinsOfFile } from './pins-file.ts';
import { readDocument } from '../yaml/document.ts';
import { didYouMean } from '../../common/nearest.ts';
import { type Finding, type Report, findingOf, reportInto } from './finding.ts';
import type { Plugin } from './gateway.ts';
import { Node } from '../yaml/node.ts';
import { parsePath } from '../yaml/place.ts';

/** A plugin configuration as people write it, taken apart: what `sluice start --config` and live delivery make clusters of. */
export interface ConfigurationFile {
  /** The plugin configuration but for its servers. */
  readonly plugin: Readonly<Record<string, unknown>>;
  readonly servers: readonly LocatedServer[];
  /** In live delivery: which module the plugin server sends along. */
  readonly module: ModuleRequest;
  /** In live delivery: whose servers come on top of these. */
  readonly catalog: CatalogRequest | undefined;
}

export interface Configuration {
  readonly root: Node;
  /** What the module is to judge. */
  readonly plugin: Plugin;
  /** As far as it could be read; undefined where there is no list of servers. */
  readonly file: ConfigurationFile | undefined;
  /** Paths of what is said to be wrong: what the module says of the same place is said twice. */
  readonly judged: ReadonlySet<string>;
}

/** Where a configuration is to be used: `any` where that is not known. */
export type Use = 'start' | 'live' | 'any';

/**
 * Reads a file that has to be a plugin configuration, YAML or JSON, whoever is to run it. Never throws for what is in it.
 * @returns everything that is wrong with it but for the module's own judgement, and the configuration as far as it could
 * be read
 */
export function readConfiguration(
  file: string,
  bytes: Uint8Array,
  use: Use,
): { findings: Finding[]; report: Report; configuration: Configuration | undefined } {
  const findings: Finding[] = [];
  const report = reportInto(findings);
  const { document, flaws } = readDocument(file, bytes);
  findings.push(...flaws.map((flaw) => findingOf(file, flaw)));
  if (document === undefined) {
    if (flaws.length === 0)
      findings.push(
        findingOf(file, { line: 1, column: 1, message: 'expected an object with servers', severity: 'error' }),
      );
    return { findings, report, configuration: undefined };
  }
  const { root } = document;
  if (root.isObject) return { findings, report, configuration: checkConfiguration(root, report, use) };
  report('kind', root, 'expected an object with servers');
  return { findings, report, configuration: undefined };
}

/** The same for a document that was read. Servers may have `url` in place of `cluster`, and `module` names a module. */
export function checkConfiguration(root: Node, report: Report, use: Use): Configuration {
  const judged = new Set<string>();
  const wrong = (path: string, message: string, severity: 'error' | 'warning' = 'error'): void => {
    if (severity === 'error') judged.add(path);
    report('plugin', new Node(undefined, [...root.path, ...parsePath(path, root.value)], root.document), message, {
      severity,
    });
  };
  const { servers: entries, ...others } = root.value as Record<string, unknown>;
  const isPolled = root.get('catalog', 'cluster').isThere;
  const isForLive =
    use === 'live' || root.get('module').isThere || (root.get('catalog', 'namespace').isThere && !isPolled);
  const liveMembers = isForLive ? ['module', 'catalog'] : ['module'];
  const kept = Object.fromEntries(Object.entries(others).filter(([member]) => !liveMembers.includes(member)));
  const plugin = isForLive ? kept : withPinsOfFile(kept, root.document.file, wrong);
  if (isForLive && root.get('pins', 'file').isThere) {
    wrong('pins.file', 'live delivery reads this one file: put the digests of the lock file into pins.tools');
  }
  const module = readModule(root.get('module'), wrong);
  const catalog = isForLive ? readCatalogRequest(root.get('catalog'), wrong, use === 'live') : undefined;
  if (use === 'start' && root.get('catalog').isThere) {
    wrong(
      'catalog',
      'catalogs are given out by `sluice serve`, to gateways that it configures or that ask it for theirs',
    );
  }
  const { endpoint } = plugin;
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    wrong('endpoint', `expected a path like /mcp, found ${root.get('endpoint').shown}`);
  }
  let file: ConfigurationFile | undefined;
  const hasCatalog = catalog !== undefined || isPolled;
  const list: unknown = hasCatalog && (entries === undefined || entries === null) ? [] : entries;
  if (Array.isArray(list) && (list.length > 0 || hasCatalog)) {
    const { servers, problems } = readServers(list, { foreignClusters: use !== 'start' });
    for (const { path, message } of problems) wrong(path, message);
    file = { plugin, servers, module, catalog };
    if (list.length === 0) judged.add('servers'); // they come with the catalog
    if (!isForLive) warnOfClusters(file, wrong);
  } else {
    judged.add('servers');
    report('plugin', root.get('servers'), 'expected a list of at least one server');
  }
  if (isForLive) warnOfBootstrap(plugin, wrong);
  const value = file === undefined ? plugin : moduleConfiguration(file);
  const asModule = new Node(value, root.path, root.document);
  checkAdvice({ root: asModule }, report);
  return { root, plugin: { root: asModule, text: JSON.stringify(value) }, file, judged };
}

type Wrong = (path: string, message: string, severity?: 'error' | 'warning') => void;

function warnOfClusters({ servers }: ConfigurationFile, wrong: Wrong): void {
  for (const [index, { entry, upstream }] of servers.entries()) {
    if (upstream !== undefined || asksNobody(entry)) continue;
    wrong(`servers[${index}].cluster`, needsUrl, 'warning');
  }
}

/** What envoy/live.yaml has to say as well, where a configuration leaves its defaults. */
function warnOfBootstrap({ endpoint = '/mcp', limits }: Readonly<Record<string, unknown>>, wrong: Wrong): void {
  if (endpoint !== '/mcp' && isEndpoint(endpoint)) {
    wrong('endpoint', 'the closed route of the bootstrap has to be at this path too', 'warning');
  }
  const heldBody: unknown = isObject(limits) ? limits['heldBody'] : undefined;
  if (heldBody !== undefined && heldBody !== '1Mi') {
    const text = 'the bootstrap has to hold twice as much: per_connection_buffer_limit_bytes, and the HTTP/2 windows';
    wrong('limits.heldBody', text, 'warning');
  }
}

const moduleMembers = ['name', 'version'];

function readModule(module: Node, wrong: Wrong): ModuleRequest {
  if (!module.isThere) return defaultModule;
  if (!module.isObject) {
    wrong('module', 'expected an object like { name: sluice, version: ^0.1 }');
    return defaultModule;
  }
  for (const [member] of module.entries) {
    if (moduleMembers.includes(member)) continue;
    wrong(`module.${member}`, `is not a member of this section${didYouMean(member, moduleMembers)}`);
  }
  const [name, version] = [module.get('name'), module.get('version')];
  if (name.value !== undefined && name.text === undefined) {
    wrong('module.name', `expected the name of a module, found ${found(name)}`);
  }
  if (version.value !== undefined && (version.text === undefined || !isVersionRequest(version.text))) {
    // YAML reads 0.1 as a number, and 1.10 as 1.1.
    const quoted = version.number === undefined ? '' : ' (put it into quotes)';
    wrong(
      'module.version',
      `expected a version like "0.1.0", a range like ^0.1, or latest, found ${found(version)}${quoted}`,
    );
  }
  return { name: name.text ?? defaultModule.name, version: version.text ?? defaultModule.version };
}

function found({ value }: Node): string {
  return JSON.stringify(value).slice(0, 60);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
