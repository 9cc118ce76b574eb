import type { Io } from '../io.ts';
import type { FederatedServer, VirtualServer } from './survey.ts';
import type { Edit } from './edits.ts';
import type { ServerChange } from './watch.ts';

export interface ReadyEvent {
  readonly event: 'ready';
  readonly mcp: string;
  /** What a client is given: `mcp`, or a virtual server where `mcp` serves nothing by itself. */
  readonly client: string;
  /** `envoy 1.40.0`, or `embedded (as envoy 1.40.0)` */
  readonly engine: string;
  /** Why it is this one, and how to have the other. */
  readonly engineReason: string;
  /** The id of the gateway's process. */
  readonly pid: number;
  readonly pluginServer: string;
  readonly admin: string;
  readonly servers: readonly FederatedServer[];
  readonly virtualServers: readonly VirtualServer[];
  /** How many tools all servers have together. */
  readonly tools: number;
  /** What is as it was asked for, and may surprise all the same. */
  readonly notes: readonly string[];
  /** The bootstrap that the engine runs. */
  readonly envoyConfig: string;
  /** The engine's log and access log. */
  readonly log: string;
  /** What clients have to send, where `--auth demo` asks for it. */
  readonly token?: string;
}

export type StartEvent =
  | ReadyEvent
  /** A server went, came back, or was started again. */
  | ({ readonly event: 'server' } & ServerChange)
  /** A file of the configuration was edited. */
  | ({ readonly event: 'edit' } & Edit)
  | { readonly event: 'stopped' };

/** For people. */
export function printed(io: Io): (event: StartEvent) => void {
  return (event) => {
    switch (event.event) {
      case 'ready':
        io.out(readyText(event));
        break;
      case 'server':
        io.out(`${new Date().toTimeString().slice(0, 8)} ${changeText(event)}\n`);
        break;
      case 'edit':
        io.out(`${new Date().toTimeString().slice(0, 8)} ${editText(event)}\n`);
        break;
      case 'stopped':
        io.out('stopped\n');
        break;
    }
  };
}

function editText({ files, state, problem = '' }: Edit): string {
  const subject = `the edit of ${files.join(', ')}`;
  if (state === 'live') return `${subject} is live`;
  if (state === 'restart') return `${subject} needs a restart: ${problem}`;
  return `${subject} is refused, and what was there before goes on: ${problem}`;
}

function changeText({ name, state, tools, problem }: ServerChange): string {
  if (state === 'down') return `${name} is not there: ${problem ?? ''}`;
  if (state === 'restarting') return `${name} is started again: ${problem ?? ''}`;
  return `${name} is back${tools === undefined ? '' : `: ${counted(tools, 'tool')}`}`;
}

/** Servers and virtual servers whose lines are printed; a terminal has an end. */
const mostLines = 50;

function readyText(event: ReadyEvent): string {
  const servers = event.servers.map(({ name, url, tools, problem }) => {
    const lines = [...(tools.length > 0 ? [tools.join(', ')] : []), ...(problem === undefined ? [] : [problem])];
    const where = url ?? 'prompts that the gateway makes';
    return [`  ${name}  ${where}`, ...(lines.length > 0 ? lines : ['no tools']).map((line) => `    ${line}`)].join(
      '\n',
    );
  });
  const virtual = event.virtualServers.map(
    ({ url, tools }) => `  ${url}${tools === undefined ? '' : `  ${counted(tools, 'tool')}`}`,
  );
  const url = event.client;
  const { token } = event;
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const clients = { mcpServers: { sluice: { type: 'http', url, ...headers } } };
  const parts = [
    `MCP endpoint  ${event.mcp}\n  ${counted(event.tools, 'tool')} of ${counted(event.servers.length, 'server')}`,
    shortened(servers),
    ...(virtual.length > 0 ? [`Virtual servers\n${shortened(virtual)}`] : []),
    ...event.notes.map((note) => `Note: ${note}`),
    `Engine         ${event.engine}: ${event.engineReason}
               pid ${event.pid}, admin ${event.admin}
Plugin server  ${event.pluginServer}
Configuration  ${event.envoyConfig}
Log            ${event.log}`,
    `Client configuration (mcpServers):\n${JSON.stringify(clients, null, 2)}`,
    `Claude Code: claude mcp add --transport http sluice ${url}${token === undefined ? '' : ` --header "Authorization: Bearer ${token}"`}`,
    'Other clients: README.md. Ctrl-C stops everything.',
  ];
  return `\n${parts.join('\n\n')}\n`;
}

function shortened(lines: readonly string[]): string {
  if (lines.length <= mostLines) return lines.join('\n');
  return [...lines.slice(0, mostLines), `  … and ${lines.length - mostLines} more`].join('\n');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
