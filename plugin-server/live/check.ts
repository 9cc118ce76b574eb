import type { Configuration, ConfigurationFile } from '../../envoy/check/configuration.ts';
import { type Finding, type Report, byPlace } from '../../envoy/check/finding.ts';
import { ModuleThread } from '../../envoy/check/isolation.ts';
import { type Problem, checkPluginText } from '../../envoy/check/plugin.ts';
import { moduleConfiguration } from '../../envoy/render/servers.ts';
import { Node } from '../../envoy/yaml/node.ts';
import { parsePath } from '../../envoy/yaml/place.ts';
import { type Catalog, emptyCatalog } from '../catalog/catalog.ts';
import { settle } from '../catalog/settle.ts';
import { serversOf } from '../catalog/servers.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { listOf, withCatalog } from './catalog-use.ts';
import { gatewayFileName, parseGatewayFile, readGatewayFile } from './gateway-file.ts';
import { type ResolvedModule, resolveModule } from './modules.ts';
import { readTokens } from './tokens.ts';

/** What became of a check: everything that is needed to compile, or only the problems. */
export interface Checked {
  /** Those of the file; those of a catalog are beside them. */
  readonly problems: readonly Finding[];
  /** What of its catalogs is left out, or as it was. */
  readonly catalogProblems: readonly Problem[];
  /** Absent where a problem of the file is an error. */
  readonly accepted?: {
    readonly file: ConfigurationFile;
    /** As much of its catalogs as is right. */
    readonly catalog: Catalog | undefined;
    readonly module: ResolvedModule;
  };
}

/** What catalogs add to a gateway. */
export interface Additions {
  readonly wanted: Catalog;
  /** What they added before: a server that is wrong now stays as it was. */
  readonly previous: Catalog | undefined;
}

/**
 * Checks a gateway directory as the plugin server does before it gives it to anyone: everything that `sluice check` finds
 * in the file, by the judgement of the module that it asks for, and that this module is here.
 * @param directory `<gateways>/<node cluster>`
 * @returns everything that is wrong with it, warnings among it; without an error it would be delivered
 */
export async function checkGatewayDirectory(directory: string, store: ArtifactStore): Promise<Problem[]> {
  const problems: Problem[] = [];
  try {
    const { problems: found } = await checkGatewayText(await readGatewayFile(directory), store);
    problems.push(...found);
  } catch (error) {
    problems.push({ path: '', message: `${gatewayFileName} ${(error as Error).message}`, severity: 'error' });
  }
  problems.push(...(await readTokens(directory)).problems);
  return problems;
}

/**
 * The same check of a file's text; every problem at once, as far as one does not hide another.
 * @param additions of the catalogs that it names; without, it is checked for itself
 */
export async function checkGatewayText(text: string, store: ArtifactStore, additions?: Additions): Promise<Checked> {
  const { findings, report, configuration } = parseGatewayFile(text);
  if (configuration === undefined) return { problems: findings, catalogProblems: [] };
  const { root, file, judged } = configuration;
  let module: ResolvedModule | undefined;
  try {
    if (file !== undefined) module = resolveModule(file.module, store);
  } catch (error) {
    const isSaid = [...judged].some((path) => path.startsWith('module'));
    if (!isSaid) report('plugin', root.get('module'), (error as Error).message);
  }
  let settled: { catalog: Catalog | undefined; problems: readonly Problem[] } = { catalog: undefined, problems: [] };
  if (module !== undefined) settled = await judgeAll(module, configuration, additions, report);
  findings.sort(byPlace);
  const isAccepted = !findings.some(({ severity }) => severity === 'error');
  const accepted = isAccepted && file && module && { file, catalog: settled.catalog, module };
  return { problems: findings, catalogProblems: settled.problems, ...(accepted && { accepted }) };
}

/** Lets the module judge the file and what its catalogs add to it, together. */
async function judgeAll(
  { bytes }: ResolvedModule,
  configuration: Configuration,
  additions: Additions | undefined,
  report: Report,
): Promise<{ catalog: Catalog | undefined; problems: readonly Problem[] }> {
  const { root, plugin, file, judged } = configuration;
  const thread = new ModuleThread();
  let ofFile: readonly Problem[] = [];
  try {
    const ask = async (text: string): Promise<Problem[]> => checkPluginText(thread, bytes, text, { rootId: 'sluice' });
    const judge = async (catalog: Catalog): Promise<Problem[]> => {
      if (file === undefined) return [];
      const counts = { servers: file.servers.length, virtualServers: listOf(file.plugin['virtualServers']).length };
      const found = await ask(JSON.stringify(moduleConfiguration(withCatalog(file, catalog))));
      ofFile = found.filter((problem) => addedBy(problem, counts) === undefined);
      const ofServers = serversOf(catalog).problems.map(({ path, message }) => ({
        path,
        message,
        severity: 'error' as const,
      }));
      return [...ofServers, ...found.flatMap((problem) => addedBy(problem, counts) ?? [])];
    };
    let settled: { catalog: Catalog | undefined; problems: readonly Problem[] } = { catalog: undefined, problems: [] };
    if (additions === undefined) ofFile = await ask(plugin.text);
    else settled = await settle(additions.wanted, additions.previous, judge);
    const hasServers = (file?.servers.length ?? 0) + (settled.catalog ?? emptyCatalog).servers.length > 0;
    for (const { path, message, severity } of ofFile) {
      const isSaid = path === 'servers' ? hasServers || additions === undefined : true;
      if (judged.has(path) && isSaid) continue;
      report('plugin', new Node(undefined, [...root.path, ...parsePath(path, root.value)], root.document), message, {
        severity,
      });
    }
    return settled;
  } finally {
    await thread.close();
  }
}

/** A problem of what a catalog added, at its path in the catalog; undefined for one of the file. */
function addedBy(
  problem: Problem,
  counts: Readonly<Record<'servers' | 'virtualServers', number>>,
): Problem | undefined {
  const [begin = '', list, digits] = /^(servers|virtualServers)\[(\d+)\]/.exec(problem.path) ?? [];
  if (list === undefined) return undefined;
  const index = Number(digits) - counts[list as 'servers' | 'virtualServers'];
  return index < 0 ? undefined : { ...problem, path: `${list}[${index}]${problem.path.slice(begin.length)}` };
}
