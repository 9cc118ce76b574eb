import { command, type Context, type Values } from '../command.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { parseOrigin, refusal, tokenOf, unanswered } from '../remote.ts';
import { tokenVariable } from '../secret.ts';

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

type RollbackEvent =
  | {
      readonly event: 'versions';
      readonly gateway: string;
      /** Its generation; null where no version was accepted yet. */
      readonly current: number | null;
      readonly rolledBack: boolean;
      readonly versions: readonly Version[];
    }
  | { readonly event: 'rolled back'; readonly gateway: string; readonly version: Version };

const flags = {
  to: { type: 'string' },
  list: { type: 'boolean', default: false },
  server: { type: 'string', default: 'http://127.0.0.1:8801' },
  'token-file': { type: 'string' },
} as const;

/**
 * `sluice rollback`. Exit codes: 0 done, 1 there is no such gateway or version, 2 wrong use, 3 no server, or no right to
 * do it.
 */
export const rollback = command({
  name: 'rollback',
  usage,
  flags,
  takesArguments: true,
  read,
  print: (io) => (event: RollbackEvent) => {
    io.out(event.event === 'versions' ? listText(event) : rolledBackText(event));
  },
  run,
});

function read(values: Values<typeof flags>, positionals: readonly string[]): Options {
  const [gateway, ...more] = positionals;
  if (gateway === undefined || more.length > 0) throw new Error('rollback takes the name of one gateway');
  if (values.list && values.to !== undefined) throw new Error('--list changes nothing: leave --to out');
  const server = parseOrigin('--server', values.server);
  return { gateway, to: values.to, list: values.list, server, tokenFile: values['token-file'] };
}

async function run(options: Options, { io, emit }: Context<RollbackEvent>): Promise<number> {
  const { gateway, to } = options;
  if (options.list) {
    const { version, rolledBack, versions } = (await ask(options, io)) as GatewayAnswer;
    emit({ event: 'versions', gateway, current: version?.generation ?? null, rolledBack, versions });
    return exitCode.ok;
  }
  const { version } = (await ask(options, io, { ...(to !== undefined && { to }) })) as { version: Version };
  emit({ event: 'rolled back', gateway, version });
  return exitCode.ok;
}

function rolledBackText({ gateway, version }: RollbackEvent & { event: 'rolled back' }): string {
  const { generation, module } = version;
  return `${gateway} is at version ${generation} (${module.name} ${module.version}) until its file is edited\n`;
}

function listText({ current, rolledBack, versions }: RollbackEvent & { event: 'versions' }): string {
  if (versions.length === 0) return 'no version was accepted yet\n';
  const lines = versions.map(({ generation, version, created, cause, module }) => {
    const mark = generation === current ? '*' : ' ';
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
    throw new CommandError(unanswered(server, error));
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const found = [400, 404, 409].includes(response.status);
  throw new CommandError(refusal(response, answer), found ? exitCode.found : exitCode.environment);
}
