import { EngineError } from '../../common/engine-error.ts';
import { isRange, isVersion } from '../../common/version.ts';
import type { ModuleRequest } from '../../envoy/check/module-request.ts';
import {
  type TargetName,
  isTarget,
  optionsFor,
  otherTargets,
  pluginFor,
  rendered,
  targetNames,
  targets,
} from '../../envoy/render/targets/index.ts';
import { type OptionName, type RenderOptions, optionNames, renderOptions } from '../../envoy/render/targets/options.ts';
import { checkPlugin } from '../../envoy/check/plugin.ts';
import { moduleConfiguration } from '../../envoy/render/servers.ts';
import { type Context, type Values, command } from '../command.ts';
import { readJudged, readSource } from '../configuration-file.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { ownModule } from '../own-module.ts';
import { parseOrigin } from '../remote.ts';
import { servedModule } from './served-module.ts';

const usage = `usage: sluice render TARGET FILE --server URL [options]
       sluice render --from SOURCE FILE... [options]

Prints the YAML that puts the gateway of FILE into Envoy, Istio, Envoy Gateway or Kubernetes. FILE is a plugin
configuration whose servers have \`url:\`, as \`sluice start\` and \`sluice serve --gateways\` take it. docs/render.md

targets:
${targetNames.map((name) => `  ${name.padEnd(17)} ${targets[name].summary}`).join('\n')}

  --server URL           the plugin server, as gateways reach it; it is asked for the module's digest
  --version VERSION      the module's version, or a range (default: what \`module\` of FILE says, else the newest)
  --sha256 DIGEST        its digest, with an exact version: then the plugin server is not asked
${optionNames.map((name) => optionLines(name)).join('')}  --json                 print JSON objects, one on a line: rendered, error

Exit codes: 0 done, 1 the configuration is wrong, not for this target, or the plugin server does not have the module, 2 wrong
use, 3 the plugin server cannot be asked.

\`sluice render --from openapi --help\` tells how to take over what OpenAPI, Higress, Kuadrant and Nacos have.
`;

/** `--listen HOST:PORT …`, with what it is by default, and where it is an option. */
function optionLines(name: OptionName): string {
  const { form, says } = renderOptions[name];
  const users = targetNames.filter((target) => targets[target].options[name] !== undefined);
  const defaults = [...new Set(users.map((target) => targets[target].options[name]))];
  const head = `--${name} ${form}`;
  const line = `  ${head.padEnd(22)} ${says} (default ${defaults.join(' or ')})\n`;
  return `${line}${' '.repeat(25)}of ${users.join(', ')}\n`;
}

interface Options {
  readonly target: TargetName;
  readonly file: string;
  readonly server: string;
  readonly version: string | undefined;
  readonly sha256: string | undefined;
  readonly options: RenderOptions;
}

interface Rendered {
  readonly event: 'rendered';
  readonly target: TargetName;
  readonly module: ModuleRequest & { readonly sha256: string; readonly url: string };
  /** YAML. */
  readonly text: string;
}

const ownFlags = {
  server: { type: 'string' },
  version: { type: 'string' },
  sha256: { type: 'string' },
} as const;

const flags = {
  ...ownFlags,
  ...(Object.fromEntries(optionNames.map((name) => [name, { type: 'string' }])) as Record<
    OptionName,
    { readonly type: 'string' }
  >),
};

/**
 * `sluice render TARGET`. Exit codes: 0, 1 where the configuration is wrong, or nothing for the target, or the plugin
 * server does not have the module, 2 for wrong arguments, 3 where the server cannot be asked.
 */
export const toTarget = command({
  name: 'render',
  usage,
  flags,
  takesArguments: true,
  read,
  print: (io: Io) => (event: Rendered) => {
    io.out(event.text);
  },
  run,
  isFound: (error) => error instanceof EngineError && error.kind === 'configuration',
});

function read(values: Values<typeof flags>, [target, file, ...more]: readonly string[]): Options {
  if (target === undefined) throw new Error(`name a target: ${targetNames.join(', ')}`);
  if (!isTarget(target)) throw new Error(`there is no target ${target}; there are ${otherTargets(target)}`);
  if (file === undefined || more.length > 0) throw new Error('name one FILE: a plugin configuration');
  const { server, version, sha256 } = values;
  if (server === undefined)
    throw new Error('--server has to say where the plugin server is, like http://127.0.0.1:8801');
  if (version !== undefined && !isVersion(version) && !isRange(version))
    throw new Error(`--version takes a version, a range or latest, not ${JSON.stringify(version)}`);
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw new Error('--sha256 takes 64 hexadecimal digits in lower case');
  return {
    target,
    file,
    server: parseOrigin('--server', server),
    version,
    sha256,
    options: optionsFor(target, values, '--'),
  };
}

async function run(options: Options, { io, emit, progress }: Context<Rendered>): Promise<number> {
  const { target, file, server, sha256 } = options;
  const source = readSource(file);
  const judge = await ownModule(progress, io.env);
  const use = targets[target].foreignClusters ? 'any' : 'start';
  const { plugin, servers, module, catalog } = await readJudged(source, { use, module: judge.bytes, ask: 'always' });
  const request = { ...module, ...(options.version !== undefined && { version: options.version }) };
  if (sha256 !== undefined && !isVersion(request.version))
    throw new CommandError(
      `--sha256 goes with an exact version, not ${request.version}: name one with --version`,
      exitCode.usage,
    );
  const served = await servedModule(server, request, sha256);
  const gateway = { plugin, servers, module: served, catalog };
  const text = rendered(target, gateway, options.options);
  if (catalog !== undefined) {
    // What the module is told of it is known by now alone.
    const asking = moduleConfiguration({ plugin: pluginFor(target, gateway, options.options), servers });
    const errors = (await checkPlugin(judge.bytes, asking)).filter(({ severity }) => severity === 'error');
    const lines = errors.map(({ path, message }) => `${file}: ${path}: ${message}`);
    if (lines.length > 0) throw new CommandError('catalog is not right', exitCode.found, lines);
  }
  const { name, version, path } = served;
  emit({ event: 'rendered', target, module: { name, version, sha256: served.sha256, url: server + path }, text });
  return exitCode.ok;
}
