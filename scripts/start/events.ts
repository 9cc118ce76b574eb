import type { Io } from '../io.ts';

export interface FederatedServer {
  readonly name: string;
  readonly url: string;
  /** Names of its tools, as the gateway lists them. */
  readonly tools: readonly string[];
}

export type StartEvent =
  | {
      readonly event: 'ready';
      readonly mcp: string;
      /** `envoy 1.40.0`, or `embedded (as envoy 1.40.0)` */
      readonly engine: string;
      /** Why it is this one, and how to have the other. */
      readonly engineReason: string;
      /** Of the gateway's process. */
      readonly pid: number;
      readonly pluginServer: string;
      readonly admin: string;
      readonly servers: readonly FederatedServer[];
      /** How many tools all servers have together. */
      readonly tools: number;
      /** The bootstrap that the engine runs. */
      readonly envoyConfig: string;
      /** The engine's log and access log. */
      readonly log: string;
    }
  | { readonly event: 'error'; readonly message: string; readonly details?: readonly string[] }
  | { readonly event: 'stopped' };

/** One JSON object per line, and nothing else on stdout. */
export function jsonEvents(io: Io): (event: StartEvent) => void {
  return (event) => {
    io.out(`${JSON.stringify(event)}\n`);
  };
}

/** For people. */
export function textEvents(io: Io): (event: StartEvent) => void {
  return (event) => {
    switch (event.event) {
      case 'ready':
        io.out(readyText(event));
        break;
      case 'error':
        io.err(`sluice start: ${[event.message, ...(event.details ?? []).map((line) => `  ${line}`)].join('\n')}\n`);
        break;
      case 'stopped':
        io.out('stopped\n');
        break;
    }
  };
}

function readyText(event: StartEvent & { event: 'ready' }): string {
  const servers = event.servers.map(({ name, url, tools }) => {
    const list = tools.length === 0 ? 'no tools: is it up?' : tools.join(', ');
    return `  ${name}  ${url}\n    ${list}`;
  });
  const clients = { mcpServers: { sluice: { type: 'http', url: event.mcp } } };
  return `
MCP endpoint  ${event.mcp}
  ${event.tools} tools of ${event.servers.length} servers

${servers.join('\n')}

Engine         ${event.engine}: ${event.engineReason}
               pid ${event.pid}, admin ${event.admin}
Plugin server  ${event.pluginServer}
Configuration  ${event.envoyConfig}
Log            ${event.log}

Client configuration (mcpServers):
${JSON.stringify(clients, null, 2)}

Claude Code: claude mcp add --transport http sluice ${event.mcp}

Ctrl-C stops everything.
`;
}
