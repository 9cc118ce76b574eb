import { parseArgs } from 'node:util';
import { failureText } from '../plugin-server/peers/peer-client.ts';
import { CommandError, type Io, exitCode } from './io.ts';
import { parseOrigin } from './serve/options.ts';
import { readSecret } from './serve/renewed.ts';
import { tokenVariable } from './serve/run.ts';

const usage = `usage: sluice rollback GATEWAY [--to VERSION] [--list] [options]

Gives a gateway an earlier version of its configuration, until its file is edited again.

  --to VERSION        its number in the list, or how its version begins (default: the one before)
  --list              print the versions that are kept, and change nothing
  --server URL        the plugin server (default http://127.0.0.1:8801)
  --token-file FILE   a token that allows publishing there, in a line by itself (or in the environment variable
                      ${tokenVariable}); a server on loopback without tokens needs none
  --json              print one JSON object: rolled back, versions, or error
`;

interface Options {
  readonly gateway: string;
  readonly to: string | undefined;
  readonly list: boolean;
  readonly server: string;
  readonly tokenFile: string | undefined;
}

interface Version {
  readonly generation: number;
  readonly version: string;
  readonly created: string;
  readonly cause: string;
  readonly module: { readonly name: string; readonly version: string };
}

interface GatewayAnswer {
  readonly version: Version | null;
  readonly rolledBack: boolean;
  readonly versions: readonly Version[];
}

/** Milliseconds. */
const timeout = 30_000;

/**
 * `sluice rollback`. Returns the exit code and never throws: 0 done, 1 there is no such gateway or version, 2 wrong use,
 * 3 no server, or no right to do it.
 */
export async function rollback(args: string[], io: Io): Promise<number> {
  const json = args.includes('--json');
  try {
    const options = parse(args);
    if (options === 'help') {
      io.out(usage);
      return exitCode.ok;
    }
    if (options.list) {
      const answer = (await ask(options, io)) as GatewayAnswer;
      io.out(
        json
          ? `${JSON.stringify({ event: 'versions', gateway: options.gateway, ...listed(answer) })}\n`
          : listText(answer),
      );
      return exitCode.ok;
    }
    const { version } = (await ask(options, io, { ...(options.to !== undefined && { to: options.to }) })) as {
      version: Version;
    };
    const { generation, module } = version;
    const said = `${options.gateway} is at version ${generation} (${module.name} ${module.version}) until its file is edited\n`;
    io.out(json ? `${JSON.stringify({ event: 'rolled back', gateway: options.gateway, version })}\n` : said);
    return exitCode.ok;
  } catch (error) {
    const { message } = error as Error;
    if (json) io.out(`${JSON.stringify({ event: 'error', message })}\n`);
    else io.err(`sluice rollback: ${message}\n`);
    return error instanceof CommandError ? error.exitCode : exitCode.environment;
  }
}

function listed({ version, rolledBack, versions }: GatewayAnswer): object {
  return { current: version?.generation ?? null, rolledBack, versions };
}

function listText({ version: current, rolledBack, versions }: GatewayAnswer): string {
  if (versions.length === 0) return 'no version was accepted yet\n';
  const lines = versions.map(({ generation, version, created, cause, module }) => {
    const mark = generation === current?.generation ? '*' : ' ';
    const made = `${created.slice(0, 19).replace('T', ' ')}  ${cause.padEnd(6)}`;
    return `${mark} ${String(generation).padStart(4)}  ${made}  ${module.name} ${module.version}  ${version}`;
  });
  const note = rolledBack ? ['* rolled back: the file is not taken until it is edited'] : [];
  return [...lines, ...note, ''].join('\n');
}

async function ask({ server, gateway, tokenFile }: Options, io: Io, rollback?: object): Promise<unknown> {
  const token = await tokenOf(tokenFile, io);
  const url = `${server}/gateways/${encodeURIComponent(gateway)}${rollback === undefined ? '' : '/rollback'}`;
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(rollback !== undefined && { 'content-type': 'application/json' }),
  };
  const body = rollback === undefined ? {} : { method: 'POST', body: JSON.stringify(rollback) };
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(url, { headers, ...body, signal, redirect: 'error' }).catch((error: unknown) => {
    throw new CommandError(`${server}: ${failureText(error)}`);
  });
  const answer = (await response.json().catch(() => undefined)) as { error?: { message?: string } } | undefined;
  if (response.ok && answer !== undefined) return answer;
  const reason = answer?.error?.message ?? `${url} answered ${response.status}, and not as a plugin server does`;
  const found = [400, 404, 409].includes(response.status);
  throw new CommandError(reason, found ? exitCode.found : exitCode.environment);
}

async function tokenOf(file: string | undefined, io: Io): Promise<string | undefined> {
  const text = file === undefined ? (io.env[tokenVariable] ?? '') : await readSecret(file);
  const line = text.split('\n').find((each) => each.trim() !== '' && !each.trim().startsWith('#'));
  return line?.trim().split(/\s+/).at(-1);
}

function parse(args: string[]): Options | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        to: { type: 'string' },
        list: { type: 'boolean', default: false },
        server: { type: 'string', default: 'http://127.0.0.1:8801' },
        'token-file': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const [gateway, ...more] = positionals;
    if (gateway === undefined || more.length > 0) throw new Error('rollback takes the name of one gateway');
    if (values.list && values.to !== undefined) throw new Error('--list changes nothing: leave --to out');
    const server = parseOrigin('--server', values.server);
    return { gateway, to: values.to, list: values.list, server, tokenFile: values['token-file'] };
  } catch (error) {
    const line = (error as Error).message.replaceAll('\n', ' ');
    throw new CommandError(`${line} (sluice rollback --help lists the options)`, exitCode.usage);
  }
}
