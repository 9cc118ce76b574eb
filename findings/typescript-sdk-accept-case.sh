#!/usr/bin/env bash
# @modelcontextprotocol/sdk 1.32.2 (npm), StreamableHTTPServerTransport on node:http.
#
# Media types are case-insensitive (RFC 9110, 8.3.1). The transport compares the text of Accept: the same request that
# is answered 200 in lower case is 406 Not Acceptable with capital letters.
# Seen: `200 406`. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/sdk@1.32.2
cat >run.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
const server = http.createServer(async (request, response) => {
  const mcp = new McpServer({ name: 'x', version: '1' });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await mcp.connect(transport);
  await transport.handleRequest(request, response);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
const statuses = [];
for (const accept of ['application/json, text/event-stream', 'Application/JSON, Text/Event-Stream']) {
  const headers = { accept, 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: 'POST', headers, body });
  await answer.text();
  statuses.push(answer.status);
}
console.log(statuses.join(' '));
server.close();
server.closeAllConnections();
JS
seen=$(node run.mjs)
echo "@modelcontextprotocol/sdk 1.32.2: Accept in lower case and in capital letters: $seen"
[ "$seen" = "200 406" ]
