import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Problem, checkPlugin } from '../../envoy/check/plugin.ts';
import { moduleConfiguration } from './compile.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import {
  type GatewayFile,
  gatewayFileLimit,
  gatewayFileName,
  isObject,
  parseGatewayFile,
  problem,
} from './gateway-file.ts';
import { type ResolvedModule, resolveModule } from './modules.ts';
import { readTokens } from './tokens.ts';

/** What became of a check: everything that is needed to compile, or only the problems. */
export interface Checked {
  readonly problems: readonly Problem[];
  /** Absent where a problem is an error. */
  readonly accepted?: { readonly file: GatewayFile; readonly module: ResolvedModule };
}

/**
 * Checks a gateway directory as the plugin server does before it gives it to anyone: the file itself, the servers'
 * URLs, the module that it asks for, and the plugin configuration by that module's own judgement.
 * @param directory `<gateways>/<node cluster>`
 * @returns everything that is wrong with it, warnings among it; without an error it would be delivered
 */
export async function checkGatewayDirectory(directory: string, store: ArtifactStore): Promise<Problem[]> {
  const problems: Problem[] = [];
  try {
    const { problems: found } = await checkGatewayText(await readGatewayFile(directory), store);
    problems.push(...found);
  } catch (error) {
    problems.push(problem('', `${gatewayFileName}: ${(error as Error).message}`));
  }
  problems.push(...(await readTokens(directory)).problems);
  return problems;
}

/** @throws Error with a sentence where there is none, or a larger one than is read */
export async function readGatewayFile(directory: string): Promise<string> {
  const file = join(directory, gatewayFileName);
  try {
    const { size } = await stat(file);
    if (size > gatewayFileLimit) throw new Error(`has ${size} bytes, more than the limit of ${gatewayFileLimit}`);
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Error(code === 'ENOENT' ? 'is not there' : message, { cause: error });
  }
}

/** The same check of a file's text; every problem at once, as far as one does not hide another. */
export async function checkGatewayText(text: string, store: ArtifactStore): Promise<Checked> {
  const { file, problems } = parseGatewayFile(text);
  if (file === undefined) return { problems };
  let module: ResolvedModule;
  try {
    module = resolveModule(file.module, store);
  } catch (error) {
    if (!problems.some(({ path }) => path.startsWith('module'))) {
      problems.push(problem('module', (error as Error).message));
    }
    return { problems };
  }
  const ours = new Set(problems.map(({ path }) => path));
  const theirs = await checkPlugin(module.bytes, moduleConfiguration(file));
  problems.push(...theirs.filter(({ path }) => !ours.has(path)), ...bootstrapWarnings(file));
  if (problems.some(({ severity }) => severity === 'error')) return { problems };
  return { problems, accepted: { file, module } };
}

/** What envoy/live.yaml has to say as well, where a configuration leaves its defaults. */
function bootstrapWarnings({ plugin }: GatewayFile): Problem[] {
  const warnings: Problem[] = [];
  const { endpoint = '/mcp', limits } = plugin;
  if (endpoint !== '/mcp') {
    warnings.push(problem('endpoint', 'the closed door of the bootstrap has to be at this path too', 'warning'));
  }
  if (isObject(limits) && limits['heldBody'] !== undefined && limits['heldBody'] !== '1Mi') {
    const text = 'the bootstrap has to hold twice as much: per_connection_buffer_limit_bytes, and the HTTP/2 windows';
    warnings.push(problem('limits.heldBody', text, 'warning'));
  }
  return warnings;
}
