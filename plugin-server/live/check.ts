import type { ConfigurationFile } from '../../envoy/check/configuration.ts';
import { type Finding, byPlace } from '../../envoy/check/finding.ts';
import { askModuleOnce } from '../../envoy/check/module.ts';
import type { Problem } from '../../envoy/check/plugin.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { gatewayFileName, parseGatewayFile, readGatewayFile } from './gateway-file.ts';
import { type ResolvedModule, resolveModule } from './modules.ts';
import { readTokens } from './tokens.ts';

/** What became of a check: everything that is needed to compile, or only the problems. */
export interface Checked {
  readonly problems: readonly Finding[];
  /** Absent where a problem is an error. */
  readonly accepted?: { readonly file: ConfigurationFile; readonly module: ResolvedModule };
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

/** The same check of a file's text; every problem at once, as far as one does not hide another. */
export async function checkGatewayText(text: string, store: ArtifactStore): Promise<Checked> {
  const { findings, report, configuration } = parseGatewayFile(text);
  if (configuration === undefined) return { problems: findings };
  const { root, file, plugin, judged } = configuration;
  let module: ResolvedModule | undefined;
  try {
    if (file !== undefined) module = resolveModule(file.module, store);
  } catch (error) {
    const isSaid = [...judged].some((path) => path.startsWith('module'));
    if (!isSaid) report('plugin', root.get('module'), (error as Error).message);
  }
  if (module !== undefined) {
    await askModuleOnce(module.bytes, { plugin, rootId: 'sluice', judged }, report);
  }
  findings.sort(byPlace);
  const isAccepted = !findings.some(({ severity }) => severity === 'error');
  return { problems: findings, ...(isAccepted && file && module && { accepted: { file, module } }) };
}
