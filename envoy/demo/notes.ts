// The second demo server: a notebook in memory. It answers with plain JSON and keeps no session, where server-everything
// streams events and keeps one: the gateway serves both kinds behind one session of its own.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as z from 'zod';

type Note = Readonly<{ id: number; title: string; text: string }>;

/** Notes kept at most: a demo that runs for weeks stays small. The oldest go first. */
const noteLimit = 1_000;

const noteShape = { id: z.number().int(), title: z.string(), text: z.string() };

const loopbackNames: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** An HTTP server that serves MCP (Streamable HTTP, stateless) at /mcp; not listening yet. */
export function notesServer(): Server {
  const notes = new Map<number, Note>();
  return createServer((request, response) => {
    handle(request, response, notes).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
}

async function handle(request: IncomingMessage, response: ServerResponse, notes: Map<number, Note>): Promise<void> {
  const url = new URL(request.url ?? '', `http://${request.headers.host ?? ''}`);
  // A web page may have made its own name resolve to this machine (DNS rebinding); the name is still in Host.
  if (!loopbackNames.has(url.hostname)) {
    response.writeHead(403).end();
    return;
  }
  if (url.pathname !== '/mcp') {
    response.writeHead(404).end();
    return;
  }
  if (request.method !== 'POST') {
    response.writeHead(405, { allow: 'POST' }).end(); // no session, so nothing to listen to and nothing to end
    return;
  }
  const server = mcpServer(notes);
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.once('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response);
}

function mcpServer(notes: Map<number, Note>): McpServer {
  const server = new McpServer(
    { name: 'notes', version: '1.0.0' },
    { instructions: 'A notebook. Search before adding, so that a note is not written twice.' },
  );
  server.registerTool(
    'add',
    {
      title: 'Add a note',
      description: 'Keeps a note and returns it with its id.',
      inputSchema: {
        title: z.string().min(1).max(200).describe('One line'),
        text: z.string().max(20_000).describe('The note itself'),
      },
      outputSchema: noteShape,
      annotations: { destructiveHint: false, openWorldHint: false },
    },
    ({ title, text }) => {
      const note: Note = { id: Math.max(0, ...notes.keys()) + 1, title, text };
      notes.set(note.id, note);
      for (const id of notes.keys()) {
        if (notes.size <= noteLimit) break;
        notes.delete(id);
      }
      return result(note, `Note ${note.id} is kept.`);
    },
  );
  server.registerTool(
    'search',
    {
      title: 'Search notes',
      description:
        'Returns the notes whose title or text has the words, in any case; all notes where nothing is asked for.',
      inputSchema: {
        query: z.string().default('').describe('What the note has to contain'),
        limit: z.number().int().min(1).max(100).default(20).describe('How many notes to return at most'),
      },
      outputSchema: { notes: z.array(z.object(noteShape)), total: z.number().int() },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ query, limit }) => {
      const wanted = query.toLowerCase();
      const found = [...notes.values()].filter(({ title, text }) => `${title}\n${text}`.toLowerCase().includes(wanted));
      const lines = found.slice(0, limit).map(({ id, title }) => `${id}: ${title}`);
      return result({ notes: found.slice(0, limit), total: found.length }, lines.join('\n') || 'No note has it.');
    },
  );
  server.registerTool(
    'remove',
    {
      title: 'Remove a note',
      description: 'Removes the note with this id.',
      inputSchema: { id: z.number().int().describe('As add and search return it') },
      annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    ({ id }) => ({
      content: [{ type: 'text', text: notes.delete(id) ? `Note ${id} is gone.` : `There is no note ${id}.` }],
    }),
  );
  return server;
}

function result<T extends Record<string, unknown>>(
  value: T,
  text: string,
): { content: [{ type: 'text'; text: string }]; structuredContent: T } {
  return { content: [{ type: 'text', text }], structuredContent: value };
}
