import { readLimited } from '../../envoy/check/read-file.ts';
import { envoyYaml } from '../../envoy/yaml/write.ts';
import { command, type Context } from '../command.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { type Definitions, type Wishes, fromOpenApi } from './openapi/tools.ts';

const usage = `usage: sluice render --from openapi FILE [options]

Makes definitions of tools from the OpenAPI 3.0 or 3.1 description of a REST service, YAML or JSON, and prints them as a
file of \`sluice start --rest\`, for review. What no tool can say is told on stderr. docs/openapi.md

  --name NAME            what the server is called (default: from the title of the description)
  --url URL              where the service is, in the place of what the description says
  --json                 print JSON objects, one on a line: definitions, left-out, error
`;

interface Options extends Wishes {
  readonly file: string;
}

type RenderEvent =
  | ({ readonly event: 'definitions' } & Definitions)
  | { readonly event: 'left-out'; readonly place: string; readonly why: string };

/** `sluice render --from`: reads the configuration of others. Exit codes: 0, 1 where it cannot be read as such, 2 for wrong arguments. */
export const fromOthers = command({
  name: 'render',
  usage,
  flags: { from: { type: 'string' }, name: { type: 'string' }, url: { type: 'string' } },
  takesArguments: true,
  read: ({ from, name, url }, [file, ...more]): Options => {
    if (from !== 'openapi') throw new Error(`--from: expected openapi${from === undefined ? '' : `, found ${from}`}`);
    if (file === undefined || more.length > 0) throw new Error('name one FILE');
    if (name !== undefined && !/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name))
      throw new Error(`--name: expected a-z, 0-9 and inner dashes, found ${name}`);
    if (url !== undefined && !/^https?:\/\/[^/?#{}]+(?:\/[^?#{}]*)?$/i.test(url))
      throw new Error(`--url: expected a URL like https://api.example.com/v1, found ${url}`);
    return { file, name, url };
  },
  print: printed,
  run,
});

async function run({ file, ...wishes }: Options, { emit }: Context<RenderEvent>): Promise<number> {
  let bytes: Uint8Array;
  try {
    bytes = readLimited(file);
  } catch (error) {
    throw new CommandError((error as Error).message, exitCode.usage);
  }
  try {
    const { definitions, leftOut } = await fromOpenApi(bytes, wishes);
    for (const each of leftOut) emit({ event: 'left-out', ...each });
    emit({ event: 'definitions', ...definitions });
    return exitCode.ok;
  } catch (error) {
    const { message, details } = error as Error & { details?: readonly string[] };
    throw new CommandError(`${file}: ${message}`, exitCode.found, details);
  }
}

function printed(io: Io): (event: RenderEvent) => void {
  return (event) => {
    if (event.event === 'left-out') io.err(`${event.place}: ${event.why}\n`);
    else {
      const { server, tools } = event;
      io.out(envoyYaml({ server, tools }));
    }
  };
}
