import { type EngineChoice, engineChoices } from '../../envoy/engines.ts';
import { type HostMode, hostModes } from '../../envoy/engine/suitable.ts';
import { type HostPort, parseHostPort } from '../../envoy/render/upstream.ts';
import type { Values } from '../command.ts';

export const startUsage = `usage: sluice start [options]

Starts the plugin server and the gateway, and two demo MCP servers where none is named; prints the URL for MCP clients.

  --server NAME=URL      federate this MCP server, like demo=http://127.0.0.1:3001/mcp; may be repeated
  --rest FILE            make tools of a REST service, as the definitions in this file say; docs/rest.md
  --prefix NAME=PREFIX   what the names of its tools begin with (default: NAME_)
  --config FILE          plugin configuration, YAML or JSON; its servers have \`url:\` instead of \`cluster:\`
                         an edit of it, or of a file of --rest, is live within seconds, or told to be wrong
  --listen HOST:PORT     where MCP is served (default 127.0.0.1:10000; port 0: any free one; of a name, its first
                         address, IPv4 before IPv6)
  --admin HOST:PORT      where the engine shows its state (default 127.0.0.1:9901, or a free port where that is taken)
  --workers N            worker threads of Envoy, VMs of the embedded engine (default 2)
  --engine auto|envoy|embedded
                         what runs the module: a real Envoy if one is found, else the engine on Node (auto, the default);
                         a real Envoy, installed if need be; the engine on Node
  --host-mode hold|pair|headers
                         how the module gets to see bodies (default hold, or as --config says); docs/host-modes.md
  --auth demo            ask for a token: a key is made, and a token that is good for it is printed
  --json                 print one JSON object per line: ready, server, edit, error, stopped
`;

interface NamedServer {
  readonly name: string;
  readonly url: string;
}

export interface StartOptions {
  readonly config: string | undefined;
  readonly servers: readonly NamedServer[];
  /** Files with tools of REST services. */
  readonly rests: readonly string[];
  /** Server name → prefix. */
  readonly prefixes: ReadonlyMap<string, string>;
  readonly listen: HostPort;
  /** Absent: the usual one if it is free. */
  readonly admin: HostPort | undefined;
  readonly workers: number;
  readonly engine: EngineChoice;
  /** Absent: as the configuration says, else hold. */
  readonly hostMode: HostMode | undefined;
  /** Absent: as the configuration says. */
  readonly auth: 'demo' | undefined;
}

export const startFlags = {
  config: { type: 'string' },
  server: { type: 'string', multiple: true, default: [] as string[] },
  rest: { type: 'string', multiple: true, default: [] as string[] },
  prefix: { type: 'string', multiple: true, default: [] as string[] },
  engine: { type: 'string', default: 'auto' },
  listen: { type: 'string', default: '127.0.0.1:10000' },
  admin: { type: 'string' },
  workers: { type: 'string', default: '2' },
  'host-mode': { type: 'string' },
  auth: { type: 'string' },
} as const;

/** @throws Error that names the flag */
export function readStart(values: Values<typeof startFlags>): StartOptions {
  if (values.config !== undefined && values.server.length > 0) {
    throw new Error('--config and --server exclude each other: a configuration names its servers itself');
  }
  if (values.config !== undefined && values.rest.length > 0) {
    throw new Error(
      '--config and --rest exclude each other: a configuration has the tools of a service in `rest` of its server',
    );
  }
  if (values.config !== undefined && values.prefix.length > 0) {
    throw new Error('--config and --prefix exclude each other: a configuration names its prefixes itself');
  }
  return {
    config: values.config,
    servers: values.server.map((text) => {
      const [name, url] = pair('--server', text, 'NAME=URL');
      return { name, url };
    }),
    rests: values.rest,
    prefixes: new Map(values.prefix.map((text) => pair('--prefix', text, 'NAME=PREFIX'))),
    listen: address('--listen', values.listen),
    admin: values.admin === undefined ? undefined : address('--admin', values.admin),
    workers: count('--workers', values.workers),
    engine: oneOf('--engine', values.engine, engineChoices),
    auth: values.auth === undefined ? undefined : oneOf('--auth', values.auth, ['demo'] as const),
    hostMode: values['host-mode'] === undefined ? undefined : oneOf('--host-mode', values['host-mode'], hostModes),
  };
}

function pair(flag: string, text: string, form: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Error(`${flag} takes ${form}, not ${JSON.stringify(text)}`);
  return [name, value];
}

function address(flag: string, text: string): HostPort {
  try {
    return parseHostPort(text);
  } catch (error) {
    throw new Error(`${flag}: ${(error as Error).message}`, { cause: error });
  }
}

function count(flag: string, text: string): number {
  const number = Number(text);
  if (!/^\d{1,3}$/.test(text) || number === 0)
    throw new Error(`${flag} takes a number from 1 to 999, not ${JSON.stringify(text)}`);
  return number;
}

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new Error(`${flag} takes ${known.join('|')}, not ${JSON.stringify(value)}`);
}
