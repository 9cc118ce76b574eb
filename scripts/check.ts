import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkFiles } from '../envoy/check/files.ts';
import { type ModuleFile, readModule } from '../envoy/check/module.ts';
import { envoyJudge } from './check/envoy.ts';
import { type CheckEvent, jsonEvents, textEvents } from './check/events.ts';
import { type CheckOptions, checkUsage, parseCheck } from './check/options.ts';
import { readSources } from './check/sources.ts';
import { CommandError, type Io, exitCode } from './io.ts';

/**
 * `sluice check`: shows everything that is wrong with configurations, each with its place. Returns the exit code and
 * never throws: 0 without an error, 1 with one, 2 for wrong arguments, 3 where the module or an Envoy is missing.
 */
export async function check(args: string[], io: Io): Promise<number> {
  const emit = args.includes('--json') ? jsonEvents(io) : textEvents(io);
  try {
    const options = parseCheck(args);
    if (options.help) {
      io.out(checkUsage);
      return exitCode.ok;
    }
    return await run(options, io, emit);
  } catch (error) {
    const { message, details = [] } = error as Error & { details?: readonly string[] };
    emit({ event: 'error', message, ...(details.length > 0 && { details }) });
    return error instanceof CommandError ? error.exitCode : exitCode.environment;
  }
}

async function run(
  { paths, module: named, envoy }: CheckOptions,
  io: Io,
  emit: (event: CheckEvent) => void,
): Promise<number> {
  const files = readSources(paths);
  const module = named === undefined ? builtModule() : namedModule(named);
  const askEnvoy = envoy ? await envoyJudge(named ?? builtFile, io.env) : undefined;
  const findings = await checkFiles(files, { module, ...(askEnvoy && { askEnvoy }) });
  for (const finding of findings) emit({ event: 'problem', ...finding });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  emit({ event: 'checked', files: files.length, errors, warnings: findings.length - errors });
  return errors > 0 ? exitCode.found : exitCode.ok;
}

const builtFile = fileURLToPath(new URL('../build/plugin.wasm', import.meta.url));

function builtModule(): ModuleFile {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
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
    throw new CommandError(`--module: ${(error as Error).message}`, exitCode.usage);
  }
}
