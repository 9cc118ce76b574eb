#!/usr/bin/env bash
# @modelcontextprotocol/conformance 0.2.0-alpha.12 (npm), on Node 22.23.3 (npm package node).
#
# Two surprises of the official suite. It does not start on Node 20, whose node:fs has no globSync, though package.json
# names no version of Node and the build is for node20. And the scenario tools-call-sampling passes where sampling failed:
# it wants the client to be asked and some content in the result, and does not look at isError, nor at what is said.
# tools-call-elicitation is the same. Who compares two servers by this suite has to compare the details of its checks.
# Seen: `Node 20: SyntaxError; failed sampling: SUCCESS`. Fails if that changes (on Node 22 and later: its second half).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @modelcontextprotocol/conformance@0.2.0-alpha.12 node@22.23.3
suite=node_modules/@modelcontextprotocol/conformance/dist/index.js

old="not tried"
case $(node --version) in
  v20.*) old=$( (node "$suite" --version 2>&1 || true) | grep -o '^SyntaxError' || echo started) ;;
esac

# Asks for sampling in the middle of the call, and says that it failed, whatever the client answers.
cat >server.mjs <<'JS'
import http from 'node:http';
import { once } from 'node:events';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

const failed = { content: [{ type: 'text', text: 'sampling failed' }], isError: true };
let stream;
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { id, method, params } = body === '' ? {} : JSON.parse(body);
  const json = { 'content-type': 'application/json' };
  if (method === 'initialize') {
    const serverInfo = { name: 'x', version: '1' };
    const result = { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo };
    response.writeHead(200, json).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  } else if (method === 'tools/call') {
    const messages = [{ role: 'user', content: { type: 'text', text: 'hello' } }];
    const asked = { jsonrpc: '2.0', id: 'ask', method: 'sampling/createMessage', params: { messages, maxTokens: 1 } };
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${JSON.stringify(asked)}\n\n`);
    stream = (result) => response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  } else if (request.method === 'POST') {
    if (id === 'ask') stream(failed);
    response.writeHead(202).end();
  } else response.writeHead(405).end();
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const url = `http://localhost:${server.address().port}/mcp`;
const args = [process.argv[2], 'server', '--url', url, '--scenario', 'tools-call-sampling', '-o', 'out'];
await new Promise((done) => execFile(process.execPath, args, done));
const [run] = readdirSync('out');
const checks = JSON.parse(readFileSync(`out/${run}/checks.json`, 'utf8'));
const { status, details } = checks.find(({ id }) => id === 'tools-call-sampling');
console.log(details.result.isError === true ? `failed sampling: ${status}` : 'sampling did not fail');
server.close();
server.closeAllConnections();
JS
seen=$(node_modules/node/bin/node server.mjs "$suite")
echo "@modelcontextprotocol/conformance 0.2.0-alpha.12: Node 20: $old; $seen"
[ "$old" = SyntaxError ] || [ "$old" = "not tried" ]
[ "$seen" = "failed sampling: SUCCESS" ]
