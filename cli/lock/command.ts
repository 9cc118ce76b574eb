import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { failureText } from '../../plugin-server/http/client.ts';
import { type ToolsLock, parseToolsLock, toolsLockText } from '../../common/tools-lock.ts';
import { command, type Context, type Values } from '../command.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { readSecret } from '../secret.ts';
import { writeWholeFile } from '../whole-file.ts';
import { differences, type MemberChange, type ToolChange } from './difference.ts';

/** Shown to the gateway, where it is not asked from its own machine. */
const tokenVariable = 'SLUICE_STATUS_TOKEN';

const usage = `usage: sluice lock URL [options]

Writes the definitions of all tools of a running gateway, with their digests, into a lock file, and says what has changed
since the file was written before. pins: { file: FILE } in the configuration then holds the tools to it. Read what changed
before you lock it: a description is what a model goes by.

URL is the endpoint of the gateway, like http://127.0.0.1:10000/mcp. Its configuration has to have status.

  --out FILE          the lock file (default tools.lock.json)
  --check             write nothing; the exit code is 1 where the file has to be written anew
  --token-file FILE   the token of status, in a line by itself (or in the environment variable ${tokenVariable});
                      from the gateway's own machine none is needed
  --json              print one JSON object per line: change, left, locked, error

Exit codes: 0 done, 1 something differs (--check) or a server was left out, 2 wrong use, 3 the gateway cannot be asked, or
the file cannot be written.
`;

interface Options {
  readonly url: string;
  readonly out: string;
  readonly check: boolean;
  readonly tokenFile: string | undefined;
}

type LockEvent =
  | ({ readonly event: 'change' } & ToolChange)
  /** A server whose tools could not be had: what the file has of it stays. */
  | { readonly event: 'left'; readonly server: string; readonly reason: string; readonly detail: string }
  | { readonly event: 'locked'; readonly file: string; readonly tools: number; readonly written: boolean };

const flags = {
  out: { type: 'string', default: 'tools.lock.json' },
  check: { type: 'boolean', default: false },
  'token-file': { type: 'string' },
} as const;

/** Milliseconds: of all servers' lists. */
const timeout = 120_000;

/** `sluice lock`. Exit codes: 0 done, 1 there is a difference (--check) or a server was left out, 2 wrong use, 3 no gateway. */
export const lock = command({
  name: 'lock',
  usage,
  flags,
  takesArguments: true,
  read,
  print: (io) => (event: LockEvent) => {
    io.out(
      textOf(event)
        .map((line) => `${printable(line)}\n`)
        .join(''),
    );
  },
  run,
});

function read(values: Values<typeof flags>, positionals: readonly string[]): Options {
  const [url = '', ...more] = positionals;
  const isHttp = URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
  if (!isHttp || more.length > 0)
    throw new Error('lock takes the endpoint of one gateway, like http://127.0.0.1:10000/mcp');
  const { username, password, search, hash } = new URL(url);
  if (username !== '' || password !== '' || search !== '' || hash !== '')
    throw new Error('lock takes a URL without credentials, query and fragment; a token goes into --token-file');
  return { url: url.replace(/\/+$/, ''), out: values.out, check: values.check, tokenFile: values['token-file'] };
}

async function run(options: Options, { io, emit }: Context<LockEvent>): Promise<number> {
  const before = await readLock(options.out);
  const { tools, left } = await ask(options, io);
  const after: ToolsLock = { tools: {} };
  for (const { server, name, digest, definition } of tools) {
    if (Object.hasOwn(after.tools, name))
      throw new CommandError(`two tools are called ${name}: no lock can tell them apart`);
    if (!digest.startsWith('sha256:')) throw new CommandError(`${name}: ${digest}`);
    after.tools[name] = { server, digest, definition };
  }
  const missing = new Set(left.map(({ server }) => server));
  for (const [name, tool] of Object.entries(before.tools)) if (missing.has(tool.server)) after.tools[name] ??= tool;
  const changes = differences(before, after);
  for (const change of changes) emit({ event: 'change', ...change });
  for (const server of left) emit({ event: 'left', ...server });
  const written = !options.check && toolsLockText(before) !== toolsLockText(after);
  if (written) await writeWholeFile('--out', options.out, toolsLockText(after));
  emit({ event: 'locked', file: options.out, tools: Object.keys(after.tools).length, written });
  return left.length > 0 || (options.check && changes.length > 0) ? exitCode.found : exitCode.ok;
}

/** An absent file is one without tools. */
async function readLock(file: string): Promise<ToolsLock> {
  try {
    return parseToolsLock(await readFile(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return { tools: {} };
    const why = code === undefined ? `${file} ${message}` : `${file} cannot be read: ${message}`;
    throw new CommandError(`${why}; name another file with --out`, exitCode.usage);
  }
}

const answered = z.object({
  tools: z.array(
    z.object({
      server: z.string(),
      name: z.string(),
      digest: z.string(),
      definition: z.record(z.string(), z.unknown()),
    }),
  ),
  left: z.array(z.object({ server: z.string(), reason: z.string(), detail: z.string() })),
});

async function ask({ url, tokenFile }: Options, io: Io): Promise<z.infer<typeof answered>> {
  const text = tokenFile === undefined ? (io.env[tokenVariable] ?? '') : await readSecret(tokenFile);
  const headers = text.trim() === '' ? {} : { authorization: `Bearer ${text.trim()}` };
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(`${url}/-/definitions`, { headers, signal, redirect: 'error' }).catch(
    (error: unknown) => {
      throw new CommandError(`${url}: ${failureText(error)}; ${adviceOn(url)}`);
    },
  );
  const body: unknown = await response.json().catch(() => undefined);
  const parsed = answered.safeParse(body);
  if (response.ok && parsed.success) return parsed.data;
  throw new CommandError(whyNot(url, response.status, body));
}

function whyNot(url: string, status: number, body: unknown): string {
  const said = (body as { error?: { message?: unknown } } | undefined)?.error;
  if (typeof said?.message === 'string') return `${url}: ${said.message}`;
  return `${url}/-/definitions answered ${status}, and not as a gateway does; ${adviceOn(url)}`;
}

function adviceOn(url: string): string {
  return `compare the URL with the one that clients use; sluice doctor ${url} looks for the cause`;
}

function textOf(event: LockEvent): string[] {
  switch (event.event) {
    case 'change':
      if (event.change !== 'changed') return [`${event.change.padEnd(8)} ${event.tool}`];
      return [`changed  ${event.tool}`, ...(event.members.length > 0 ? event.members.map(memberText) : [onlyForm])];
    case 'left':
      return [`left out ${event.server}: ${event.detail} (${event.reason}); what the file has of it stays`];
    case 'locked': {
      const count = `${event.tools} tool${event.tools === 1 ? '' : 's'}`;
      return [event.written ? `${event.file} is written: ${count}` : `${event.file}: ${count}, nothing is written`];
    }
  }
}

const onlyForm = '    the same values, written in another form (escapes, digits of numbers, a member twice)';

function memberText({ member, change, before, after }: MemberChange): string {
  const place = `    ${member}: `;
  if (change === 'added') return `${place}added: ${after ?? ''}`;
  return change === 'removed' ? `${place}removed: ${before ?? ''}` : `${place}was ${before ?? ''}, is ${after ?? ''}`;
}

/** A definition is a server's text: a terminal is to show it, not to obey it. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (sign) => JSON.stringify(sign).slice(1, -1));
}
