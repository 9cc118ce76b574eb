#!/usr/bin/env bash
# github.com/modelcontextprotocol/go-sdk 1.8.0, client of 2026-07-28.
#
# A server that needs the client's roots asks for them with an input request, whose params are optional: the schema of
# 2026-07-28 has `params?` in ListRootsRequest, and the TypeScript SDK's servers leave them out. The Go client cannot read such
# a request: the call fails with "unexpected end of JSON input", before any handler is asked. With `"params":{}` it works.
# Seen: `without params: unexpected end of JSON input; with params: done`. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

cat >server.mjs <<'JS'
import http from 'node:http';
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { id, method, params } = body === '' ? {} : JSON.parse(body);
  const complete = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
  const request_ = { method: 'roots/list', ...(params?.name === 'with' && { params: {} }) };
  const results = {
    'server/discover': { ...complete, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
    'tools/list': { ...complete, tools: [] },
    'tools/call': params?.inputResponses
      ? { resultType: 'complete', content: [{ type: 'text', text: 'done' }] }
      : { resultType: 'input_required', inputRequests: { roots: request_ } },
  };
  if (results[method] === undefined) return response.writeHead(202).end();
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node server.mjs >port &
until [ -s port ]; do sleep 0.1; done

cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "c", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: os.Args[1]}, nil)
	if err != nil {
		panic(err)
	}
	call := func(name string) string {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: name})
		if err != nil {
			return err.Error()
		}
		return result.Content[0].(*mcp.TextContent).Text
	}
	fmt.Printf("without params: %s; with params: %s\n", call("without"), call("with"))
}
GO
cat >go.mod <<'MOD'
module example.test/finding

go 1.25

require github.com/modelcontextprotocol/go-sdk v1.8.0
MOD
go mod tidy 2>/dev/null
seen=$(go run . "http://127.0.0.1:$(cat port)/mcp")
echo "$seen"
[[ $seen == *'without params: '*'unexpected end of JSON input; with params: done' ]]
