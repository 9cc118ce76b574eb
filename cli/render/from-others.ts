import { envoyYaml } from '../../envoy/yaml/write.ts';
import { didYouMean } from '../../common/nearest.ts';
import { command, type Context } from '../command.ts';
import { PluginServerError } from '../../plugin-server/index.ts';
import { readSource } from '../configuration-file.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { writeInto } from './into.ts';
import type { LeftOut } from './left-out.ts';
import { type Asked, type Rendered, isSource, readAsked, renderFlags, sourceNames, sources } from './sources.ts';

const usage = `usage: sluice render --from SOURCE FILE... [options]

Reads the configuration of others, and prints what it is here, for review. What cannot be said is told on stderr, with its
place. docs/openapi.md, docs/migration.md

  --from openapi FILE    tools of a REST service, from its OpenAPI 3.0 or 3.1 description: a file of sluice start --rest
  --from higress FILE... a plugin configuration, from McpBridge, WasmPlugin, Ingress, the ConfigMap of Higress, and
                         configurations of its mcp-server plugin
  --from kuadrant FILE...
                         a plugin configuration, from MCPServerRegistration, MCPVirtualServer, HTTPRoute and Service
  --from nacos URL...    a catalog, from a namespace of Nacos 3; the URLs are those of one cluster

  --name NAME            openapi: what the server is called (default: from the title of the description)
  --url URL              openapi: where the service is, in the place of what the description says
  --nacos-namespace NAME[=ID]
                         nacos: the namespace, and what it is called here (default: public)
  --nacos-credentials FILE
                         nacos: one line, "<user name> <password>"; or SLUICE_NACOS_USERNAME and SLUICE_NACOS_PASSWORD
  --into DIR             nacos: write DIR/<namespace>/<server>.yaml, as sluice serve --catalogs DIR takes them
  --json                 print JSON objects, one on a line: definitions, configuration, catalog, file, left-out, error

Exit codes: 0 something is left that can be served, 1 nothing is, 2 wrong use, 3 Nacos cannot be read.
`;

type RenderEvent =
  Rendered['event'] | { readonly event: 'file'; readonly file: string } | ({ readonly event: 'left-out' } & LeftOut);

/** `sluice render --from`: reads the configuration of others. Exit codes: 0, 1 where it cannot be read as such, 2 for wrong arguments. */
export const fromOthers = command({
  name: 'render',
  usage,
  flags: renderFlags,
  takesArguments: true,
  read: (values, paths): Asked => {
    const { from } = values;
    if (!isSource(from)) {
      throw new Error(
        `--from: expected ${sourceNames}${from === undefined ? '' : `, found ${from}${didYouMean(from, Object.keys(sources))}`}`,
      );
    }
    return readAsked(from, values, paths);
  },
  print: printed,
  run,
});

async function run(asked: Asked, { emit, io }: Context<RenderEvent>): Promise<number> {
  let rendered: Rendered;
  try {
    rendered = await sources[asked.from].render(asked, { env: io.env, readFile: (path) => readSource(path).bytes });
  } catch (error) {
    if (error instanceof CommandError || error instanceof PluginServerError) throw error;
    const { message, details } = error as Error & { details?: readonly string[] };
    throw new CommandError(`${asked.paths.join(', ')}: ${message}`, exitCode.found, details);
  }
  for (const each of rendered.leftOut) emit({ event: 'left-out', ...each });
  if (asked.into === undefined) emit(rendered.event);
  else for (const file of writeInto(asked.into, rendered.files)) emit({ event: 'file', file });
  return exitCode.ok;
}

function printed(io: Io): (event: RenderEvent) => void {
  return (event) => {
    switch (event.event) {
      case 'left-out':
        io.err(`${event.place}${event.place === '' ? '' : ': '}${event.why}\n`);
        break;
      case 'file':
        io.out(`${event.file}\n`);
        break;
      case 'definitions':
        io.out(envoyYaml({ server: event.server, tools: event.tools }));
        break;
      case 'configuration':
        io.out(envoyYaml(event.configuration));
        break;
      case 'catalog':
        io.out(envoyYaml(event.catalog));
    }
  };
}
