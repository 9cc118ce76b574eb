# A server of the MCP Python SDK, version 2, with every noun: `python server.py NAME PORT`. What it prints is in servers.test.ts.
import socket
import sys

import anyio
import mcp_types as types
import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from pydantic import BaseModel

name, port = sys.argv[1], int(sys.argv[2])
server = MCPServer(name, log_level="ERROR")


def tell(what):
    print(what, flush=True)


class User(BaseModel):
    username: str
    email: str


@server.tool()
async def test_same_name() -> str:
    return f"a tool of {name}"


@server.tool()
async def test_tool_with_progress(context: Context) -> str:
    for step in (0, 50, 100):
        await context.report_progress(step, 100)
    return "done"


@server.tool()
async def test_tool_with_logging(context: Context) -> str:
    await context.info("Tool execution started")
    await context.info("Tool execution completed")
    return "done"


@server.tool()
async def test_elicitation(message: str, context: Context) -> str:
    answer = await context.elicit(message, User)
    return f"{answer.action} {answer.data.username} {answer.data.email}"


@server.tool()
async def test_sampling(prompt: str, context: Context) -> str:
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=prompt))
    answer = await context.session.create_message([message], max_tokens=100, related_request_id=context.request_id)
    return answer.content.text


@server.tool()
async def test_waiting() -> str:
    tell("a call waits")
    try:
        await anyio.sleep_forever()
    finally:
        tell("a call was cancelled")


@server.prompt(name="test_same_name")
def same_name(arg1: str = "") -> str:
    return f"a prompt of {name}"


@server.resource("test://static-text", mime_type="text/plain")
def static_text() -> str:
    return f"The static text of {name}."


@server.resource("test://template/{id}/data", mime_type="text/plain")
def data(id: str) -> str:
    return f"data of {name}"


@server.completion()
async def complete(ref, argument, context):
    return types.Completion(values=[f"{argument.value}0", name])


async def set_level(context, params):
    return types.EmptyResult()


# The SDK's own decorators have none for this method.
server._lowlevel_server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, set_level)


async def main():
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    tell("ready")
    config = uvicorn.Config(server.streamable_http_app(), log_level="error")
    await uvicorn.Server(config).serve(sockets=[listening])


anyio.run(main)
