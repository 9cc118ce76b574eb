import { readFile } from 'node:fs/promises';
import { command, type Context, type Values } from '../command.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { firstPause, put } from './put.ts';
import { parseOrigin, tokenOf } from '../remote.ts';
import { tokenVariable } from '../secret.ts';
import { whyUnreadable } from '../unreadable.ts';

const usage = `usage: sluice publish FILE --name NAME --version VERSION --to URL [options]

Publishes a module (.wasm, or one in gzip, tar or tar.gz) to a plugin server. Prints its URL and its SHA-256.

  --name NAME         of the plugin
  --version VERSION   like 1.2.3; it never changes afterwards
  --to URL            of the plugin server, like http://127.0.0.1:8801
  --signature FILE    publish a detached signature along with it
  --strict            refuse a module that a stock Envoy would not load
  --token-file FILE   the token, in a line by itself (or in the environment variable ${tokenVariable})
  --json              print one JSON object: published, or error
`;

interface Options {
  readonly file: string;
  readonly name: string;
  readonly version: string;
  readonly to: string;
  readonly signature: string | undefined;
  readonly strict: boolean;
  readonly tokenFile: string | undefined;
}

interface Published {
  readonly event: 'published';
  readonly url: string;
  readonly sha256: string;
  /** False where the server had these bytes already. */
  readonly created: boolean;
}

const flags = {
  name: { type: 'string' },
  version: { type: 'string' },
  to: { type: 'string' },
  signature: { type: 'string' },
  strict: { type: 'boolean', default: false },
  'token-file': { type: 'string' },
} as const;

type PublishContext = Context<Published>;

/**
 * `sluice publish`. Exit codes: 0 published (or there before, with the same bytes), 1 the server refuses the module,
 * 2 wrong use, 3 no file, no server, no right to publish.
 */
export const publish = publishAfter(firstPause);

/** @param pause before the first retry, in ms */
export function publishAfter(pause: number) {
  return command({
    name: 'publish',
    usage,
    flags,
    takesArguments: true,
    read,
    print: (io) => (published: Published) => {
      const { url, sha256, created } = published;
      io.out(`${url}\nsha256 ${sha256}${created ? '' : '  (was there)'}\n`);
    },
    run: (options: Options, context) => run(options, context, pause),
  });
}

function read(values: Values<typeof flags>, positionals: readonly string[]): Options {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new Error('publish takes one file');
  const needed = (flag: 'name' | 'version' | 'to'): string => {
    const value = values[flag];
    if (value === undefined) throw new Error(`--${flag} is missing`);
    return value;
  };
  const [name, version] = [needed('name'), needed('version')];
  const to = parseOrigin('--to', needed('to'));
  const { signature, strict, 'token-file': tokenFile } = values;
  return { file, name, version, to, signature, strict, tokenFile };
}

/** Bytes of a signature that go into a header; of those that are made with a key, each has less than 100. */
const longestHeader = 4096;

async function run(options: Options, { io, emit, progress }: PublishContext, pause: number): Promise<number> {
  const [content, signature, token] = await Promise.all([
    fileContent(options.file),
    options.signature === undefined ? undefined : fileContent(options.signature),
    neededToken(options, io),
  ]);
  const url = `${options.to}/plugins/${encodeURIComponent(options.name)}/${encodeURIComponent(options.version)}/plugin.wasm`;
  const target = options.strict ? `${url}?strict` : url;
  // A server that requires a signature wants it with the module; one that does not fit into a header comes behind it.
  const along = signature !== undefined && signature.length <= longestHeader ? signature : undefined;
  const response = await put(target, content, token, progress, pause, along);
  const { sha256, url: path } = (await response.json()) as { sha256: string; url: string };
  if (signature !== undefined) await put(`${url}.sig`, signature, token, progress, pause);
  emit({ event: 'published', url: options.to + path, sha256, created: response.status === 201 });
  return exitCode.ok;
}

async function fileContent(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandError(whyUnreadable(file, error));
  }
}

async function neededToken({ tokenFile }: Options, io: Io): Promise<string> {
  const token = await tokenOf(tokenFile, io);
  if (token === undefined)
    throw new CommandError(`no token: use --token-file FILE, or ${tokenVariable}`, exitCode.usage);
  return token;
}
