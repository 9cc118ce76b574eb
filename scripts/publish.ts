import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { contentDigest } from '../plugin-server/index.ts';
import { failureText } from '../plugin-server/peers/peer-client.ts';
import { CommandError, type Io, exitCode } from './io.ts';
import { parseOrigin } from './serve/options.ts';
import { readSecret } from './serve/renewed.ts';
import { tokenVariable } from './serve/run.ts';

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

/** How often a server is tried that is not there, or says that it will be, and the first pause in ms; it doubles. */
const retries = { tries: 5, pause: 500 };

/** What says "later": everything else will be the same next time. */
const temporary: readonly number[] = [502, 503, 504];

/** Milliseconds for one try, with 256 MiB on a slow line. */
const timeout = 600_000;

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

/**
 * `sluice publish`. Returns the exit code and never throws: 0 published (or there before, with the same bytes), 1 the
 * server refuses the module, 2 wrong use, 3 no file, no server, no right to publish.
 */
export async function publish(args: string[], io: Io, pause = retries.pause): Promise<number> {
  const json = args.includes('--json');
  try {
    const options = parse(args);
    if (options === 'help') {
      io.out(usage);
      return exitCode.ok;
    }
    const published = await run(options, io, pause);
    const { url, sha256, created } = published;
    io.out(json ? `${JSON.stringify(published)}\n` : `${url}\nsha256 ${sha256}${created ? '' : '  (was there)'}\n`);
    return exitCode.ok;
  } catch (error) {
    const { message } = error as Error;
    if (json) io.out(`${JSON.stringify({ event: 'error', message })}\n`);
    else io.err(`sluice publish: ${message}\n`);
    return error instanceof CommandError ? error.exitCode : exitCode.environment;
  }
}

async function run(options: Options, io: Io, pause: number): Promise<Published> {
  const [content, signature, token] = await Promise.all([
    fileContent(options.file),
    options.signature === undefined ? undefined : fileContent(options.signature),
    tokenOf(options, io),
  ]);
  const url = `${options.to}/plugins/${encodeURIComponent(options.name)}/${encodeURIComponent(options.version)}/plugin.wasm`;
  const send = (target: string, body: Buffer): Promise<Response> => put(target, body, token, io, pause);
  const response = await send(options.strict ? `${url}?strict` : url, content);
  const { sha256, url: path } = (await response.json()) as { sha256: string; url: string };
  if (signature !== undefined) await send(`${url}.sig`, signature);
  return { event: 'published', url: options.to + path, sha256, created: response.status === 201 };
}

/** Tries again where the server is not there or says "later": what was published by a lost answer is there, and the same. */
async function put(url: string, body: Buffer, token: string, io: Io, pause: number): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, 'content-digest': contentDigest(body) };
  for (let tried = 1; ; tried++) {
    const signal = AbortSignal.timeout(timeout);
    const outcome = await fetch(url, { method: 'PUT', headers, body, signal, redirect: 'error' }).catch(
      (error: unknown) => failureText(error),
    );
    const isTemporary = typeof outcome === 'string' || temporary.includes(outcome.status);
    if (!isTemporary && outcome.ok) return outcome;
    const reason = typeof outcome === 'string' ? `${url}: ${outcome}` : await refusal(outcome);
    if (!isTemporary) throw new CommandError(reason, isOurs(outcome.status) ? exitCode.environment : exitCode.found);
    if (tried === retries.tries) throw new CommandError(`${reason} (tried ${tried} times)`);
    if (io.interactive) io.err(`${reason}; trying again\n`);
    await sleep(pause * 2 ** (tried - 1));
  }
}

/** Whether the fault lies in the token or the server, and not in the module. */
function isOurs(status: number): boolean {
  return status === 401 || status === 403 || status >= 500;
}

async function refusal(response: Response): Promise<string> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error: { message: string } };
    return error.message;
  } catch {
    return `${response.url} answered ${response.status}, and not as a plugin server does`;
  }
}

async function fileContent(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

async function tokenOf({ tokenFile }: Options, io: Io): Promise<string> {
  const text = tokenFile === undefined ? (io.env[tokenVariable] ?? '') : await readSecret(tokenFile);
  // A file that the server reads, with names, will do as well: its first token is taken.
  const line = text.split('\n').find((each) => each.trim() !== '' && !each.trim().startsWith('#'));
  const token = line?.trim().split(/\s+/).at(-1);
  if (token === undefined)
    throw new CommandError(`no token: use --token-file FILE, or ${tokenVariable}`, exitCode.usage);
  return token;
}

function parse(args: string[]): Options | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        name: { type: 'string' },
        version: { type: 'string' },
        to: { type: 'string' },
        signature: { type: 'string' },
        strict: { type: 'boolean', default: false },
        'token-file': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new Error('publish takes one file');
    const needed = (flag: 'name' | 'version' | 'to'): string => {
      const value = values[flag];
      if (value === undefined) throw new Error(`--${flag} is missing`);
      return value;
    };
    const [name, version] = [needed('name'), needed('version')];
    const to = parseOrigin('--to', needed('to'));
    return {
      file,
      name,
      version,
      to,
      signature: values.signature,
      strict: values.strict,
      tokenFile: values['token-file'],
    };
  } catch (error) {
    const line = (error as Error).message.replaceAll('\n', ' ');
    throw new CommandError(`${line} (sluice publish --help lists the options)`, exitCode.usage);
  }
}
