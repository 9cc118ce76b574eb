#!/usr/bin/env bash
# Builds Istio's discovery server and agent for test/istio/real-istio.test.ts: test/istio/build-programs.sh FOLDER [1.30 | 1.31]
# Needs Go, git, and what Go downloads modules from; about seven minutes of one core the first time. FOLDER then has pilot-discovery,
# pilot-agent, envoy_bootstrap.json, and VERSION with what they were built of; its sources are not kept.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?name the folder for the programs}

# Istio names commits between two versions of its dependencies, which not every module proxy has: versions that are near them do.
case ${2:-1.30} in
  1.30)
    version=v0.0.0-20260826214018-9739e10eb9d7 # branch release-1.30
    instead=(
      istio.io/api@v1.30.8
      istio.io/client-go@v1.30.8
      github.com/envoyproxy/go-control-plane/envoy@v1.38.0
      github.com/envoyproxy/go-control-plane/contrib@v1.36.1-0.20260713214202-ca8ce173c36f
    )
    ;;
  1.31)
    version=v0.0.0-20260827124520-eed52ebb66ad # its VERSION is 1.31
    instead=(istio.io/api@v1.31.4 istio.io/client-go@v1.31.4)
    ;;
  *)
    echo "There are versions for 1.30 and 1.31, not for $2." >&2
    exit 1
    ;;
esac
# The patch takes out what needs it: a controller for another gateway.
without=github.com/agentgateway/agentgateway/api

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
sources=$(mktemp -d)
trap 'rm -rf "$sources"' EXIT
module=$(cd "$sources" && go mod download -json "istio.io/istio@$version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
cp -R "$module/." "$sources"
chmod -R u+w "$sources"
cd "$sources"
git apply --unidiff-zero "$here/without-kubernetes.patch"
go mod edit -droprequire "$without"
for each in "${instead[@]}"; do go mod edit -replace "${each%@*}=$each"; done

export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -mod=mod"
go build -ldflags='-s -w' -o "$folder/" ./pilot/cmd/pilot-agent ./pilot/cmd/pilot-discovery
cp tools/packaging/common/envoy_bootstrap.json "$folder/"
printf 'istio.io/istio@%s\n' "$version" >"$folder/VERSION"
