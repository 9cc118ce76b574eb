// An MCP server that keeps sessions, and can lose them as a restart does.
import { type Answer, result, type Scripted, startScripted, status } from './scripted.ts';

/** How calls are answered unless a test says otherwise. */
export const served = result('{"content":[{"type":"text","text":"done"}]}');

export interface Stateful {
  readonly name: string;
  readonly server: Scripted;
  /** Ids of the sessions that exist. */
  readonly sessions: ReadonlySet<unknown>;
  /** The id of the session that was opened last. */
  latest(): string;
  /** As after a restart. */
  loseAll(): void;
  /** How calls are answered in a session that exists. */
  serve(answer: Answer): void;
  /** How `initialize` is answered: at once, or when this is done. */
  delay(initialize: Promise<void> | undefined): void;
}

export interface StatefulOptions {
  /** What is answered in a session that does not exist; 404 else. */
  readonly lost?: Answer;
  /** It is answered before the body was read, as many do. */
  readonly early?: boolean;
  /** Ends each connection after its first answer, and does not say so before. */
  readonly closesSilently?: boolean;
}

export async function startStateful(
  name: string,
  { lost = status(404), early = false, closesSilently = false }: StatefulOptions = {},
): Promise<Stateful> {
  let opened = 0;
  let call = served;
  let delayed: Promise<void> | undefined;
  const sessions = new Set<unknown>();
  const inSession =
    (answer: Answer): Answer =>
    (request, reply) =>
      (sessions.has(request.headers['mcp-session-id']) ? answer : lost)(request, reply);
  const latest = (): string => `${name}-${opened}`;
  const server = await startScripted({
    closesSilently,
    ...(early && { early: ({ 'mcp-session-id': id }) => (id === undefined || sessions.has(id) ? undefined : lost) }),
    answers: {
      initialize: async (request, reply) => {
        await delayed;
        opened++;
        sessions.add(latest());
        const { params } = JSON.parse(request.body.toString()) as { params: { protocolVersion: string } };
        const { protocolVersion } = params;
        const initialized = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name, version: '1' } };
        reply.head(200, { 'content-type': 'application/json', 'mcp-session-id': latest() });
        reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":${JSON.stringify(initialized)}}`);
      },
      'notifications/initialized': inSession(status(202)),
      ping: inSession(result('{}')),
      'tools/call': inSession((request, reply) => call(request, reply)),
      'tools/list': inSession(result('{"tools":[{"name":"echo","inputSchema":{"type":"object"}}]}')),
      DELETE: (request, reply) => {
        sessions.delete(request.headers['mcp-session-id']);
        return status(200)(request, reply);
      },
    },
  });
  return {
    name,
    server,
    sessions,
    latest,
    loseAll: () => {
      sessions.clear();
    },
    serve: (answer) => {
      call = answer;
    },
    delay: (initialize) => {
      delayed = initialize;
    },
  };
}
