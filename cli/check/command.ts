import { checkFiles } from '../../envoy/check/files.ts';
import { type ModuleFile, readModule } from '../../envoy/check/module.ts';
import { ownFile, version } from '../../common/home.ts';
import { command, type Context, type Values } from '../command.ts';
import { CommandError, exitCode } from '../io.ts';
import { type AskedFor, tellDecisions } from './as.ts';
import { readClaims, readNames } from './caller.ts';
import { envoyJudge } from './envoy.ts';
import { type CheckEvent, printed } from './events.ts';
import { type CheckOptions, checkFlags, checkUsage } from './options.ts';
import { readSources } from './sources.ts';

/**
 * `sluice check`: shows everything that is wrong with configurations, each with its place. Exit codes: 0 without an error,
 * 1 with one, 2 for wrong arguments, 3 where the module or an Envoy is missing.
 */
export const check = command({
  name: 'check',
  usage: checkUsage,
  flags: checkFlags,
  takesArguments: true,
  read,
  print: printed,
  run,
});

function read(values: Values<typeof checkFlags>, paths: readonly string[]): CheckOptions {
  const { module, envoy, as, authorized, names, 'virtual-server': virtualServer } = values;
  if (as === undefined && authorized !== undefined) throw new Error('--authorized goes with --as');
  if (as === undefined && names !== undefined) throw new Error('--names goes with --as');
  if (as === undefined && virtualServer !== undefined) throw new Error('--virtual-server goes with --as');
  return { paths, module, envoy, as, authorized, names, virtualServer };
}

async function run(options: CheckOptions, { io, emit }: Context<CheckEvent>): Promise<number> {
  const { paths, module: named, envoy } = options;
  const files = readSources(paths);
  const asked = askedFor(options);
  const module = named === undefined ? builtModule() : namedModule(named);
  const askEnvoy = envoy ? await envoyJudge(named ?? builtFile, io.env) : undefined;
  const findings = await checkFiles(files, { module, ...(askEnvoy && { askEnvoy }) });
  for (const finding of findings) emit({ event: 'problem', ...finding });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  emit({ event: 'checked', files: files.length, errors, warnings: findings.length - errors });
  if (errors > 0) return exitCode.found;
  if (asked !== undefined) await tellDecisions(files, module, asked, emit);
  return exitCode.ok;
}

function askedFor({ as, authorized, names, virtualServer }: CheckOptions): AskedFor | undefined {
  if (as === undefined) return undefined;
  return {
    claims: readClaims(as),
    authorized: authorized === undefined ? undefined : readClaims(authorized, '--authorized'),
    names: names === undefined ? undefined : readNames(names),
    virtualServer,
  };
}

const builtFile = ownFile('build/plugin.wasm');

function builtModule(): ModuleFile {
  try {
    return readModule(builtFile, 'build/plugin.wasm', version);
  } catch {
    throw new CommandError('build/plugin.wasm is not there: run "npm run build", or name a module with --module FILE');
  }
}

/** Whatever version it is: it is said to be the one that is meant. */
function namedModule(file: string): ModuleFile {
  try {
    return readModule(file, file, undefined);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(`--module: ${code === 'ENOENT' ? `there is no ${file}` : message}`, exitCode.usage);
  }
}
