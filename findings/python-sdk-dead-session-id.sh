#!/usr/bin/env bash
# PyPI mcp 2.3.0, MCPServer over Streamable HTTP (uvicorn).
#
# A tools/list without a session id is refused with 400 "Missing session ID", as it should be; yet the refusal carries a
# fresh mcp-session-id header. The server has dropped that session already: a client that repeats the id is told 404.
# A proxy that takes session ids from any answer would therefore keep one that never worked.
# Seen: `400, an id is given; with it 404`. Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check mcp==2.3.0
cat >server.py <<'PY'
import socket, sys, threading, time, urllib.request, urllib.error, json
import uvicorn
from mcp.server import MCPServer

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
app = MCPServer("x").streamable_http_app()
server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
thread.start()
while not server.started:
    time.sleep(0.05)

def post(session=None):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).encode()
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    if session:
        headers["mcp-session-id"] = session
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, body, headers))
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        answer.read()
        return answer.status, answer.headers.get("mcp-session-id")

try:
    first, given = post()
    second, _ = post(given)
    print(f"{first}, {'an id is given' if given else 'no id is given'}; with it {second}")
finally:
    server.should_exit = True
    thread.join()
PY
seen=$(venv/bin/python server.py)
cd / && rm -rf "$folder"
echo "mcp 2.3.0: a request without a session id: $seen"
[ "$seen" = "400, an id is given; with it 404" ]
