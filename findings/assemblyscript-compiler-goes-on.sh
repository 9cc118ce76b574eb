#!/usr/bin/env bash
# assemblyscript 0.28.20 (npm), its command asc, on Node 20.
#
# asc starts a second process of Node that compiles, and passes no signal on to it. A build that is ended by SIGTERM to the
# process that was started leaves that second one running: it goes on compiling and writes its output after the end. Whoever
# stops a build has to end the whole process group.
# Seen: out.wasm is written after asc has been ended, which it had not been before. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . assemblyscript@0.28.20 >/dev/null
{
  for each in $(seq 200); do echo "export function f$each(a: i32): i32 { let b = a; for (let i = 0; i < a; i++) b = b * $each + i; return b; }"; done
} >module.ts
node node_modules/assemblyscript/bin/asc.js module.ts --outFile out.wasm -O3 --converge &
asc=$!
until pgrep -P "$asc" >/dev/null; do sleep 0.02; done
kill "$asc"
wait "$asc" 2>/dev/null || true
[ -e out.wasm ] && before=written || before='not written'
for _ in $(seq 300); do [ -e out.wasm ] && break; sleep 0.1; done
[ -e out.wasm ] && after=written || after='not written'
echo "assemblyscript 0.28.20: out.wasm was $before when asc had ended, and $after later"
[ "$before" = 'not written' ] && [ "$after" = written ]
