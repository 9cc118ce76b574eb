#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 (npm).
#
# Over HTTP+SSE (SSEClientTransport) a client of the SDK loses a progress notification that comes in the same piece as the
# response to its request: it forgets who waits for progress as soon as it has the response, and notifications are handed
# over a moment later. What the caller gets to see hangs on how a proxy or the network cuts the event stream. Over
# Streamable HTTP the same two events in one piece lose nothing.
# Seen: `apart: 1 progress; in one piece: 0 progress`. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2

cat >client.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';

const event = (message) => `data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
let stream;
const server = http.createServer(async (request, response) => {
  if (request.method === 'GET') {
    stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
    stream.write('event: endpoint\ndata: /messages\n\n');
    return;
  }
  let body = '';
  for await (const part of request) body += part;
  response.writeHead(202).end();
  const { id, method, params } = JSON.parse(body);
  if (method === 'initialize') {
    const serverInfo = { name: 'x', version: '1' };
    stream.write(event({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo } }));
  } else if (method === 'tools/call') {
    const { progressToken } = params._meta;
    const progress = event({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 1 } });
    const answer = event({ id, result: { content: [] } });
    if (params.name === 'together') stream.write(progress + answer);
    else {
      stream.write(progress);
      setTimeout(() => stream.write(answer), 200);
    }
  }
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const client = new Client({ name: 'x', version: '1' });
client.onerror = () => undefined;
await client.connect(new SSEClientTransport(new URL(`http://127.0.0.1:${server.address().port}/sse`)));
const seen = { apart: 0, together: 0 };
for (const name of Object.keys(seen)) {
  await client.callTool({ name, arguments: {} }, undefined, { onprogress: () => void seen[name]++ });
  await new Promise((done) => setTimeout(done, 200));
}
console.log(`apart: ${seen.apart} progress; in one piece: ${seen.together} progress`);
await client.close();
server.close();
server.closeAllConnections();
JS
seen=$(node client.mjs)
echo "@modelcontextprotocol/sdk 1.32.2: $seen"
[ "$seen" = "apart: 1 progress; in one piece: 0 progress" ]
