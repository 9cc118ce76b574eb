# Version 2 of the MCP Python SDK.
import anyio
import mcp_types as types
from conversation import Answers, Words, converse, mode, plan
from mcp import Client

answers = Answers(types)


async def elicited(context, params):
    return answers.elicited()


async def sampled(context, params):
    return answers.sampled(params.messages)


async def roots(context):
    return types.ListRootsResult(roots=[answers.home()])


async def main():
    callbacks = {
        "elicitation_callback": elicited,
        "sampling_callback": sampled,
        "list_roots_callback": roots,
    }
    async with Client(plan["url"], mode=mode(), **callbacks) as client:
        await converse(Words(client, types), client.protocol_version)


anyio.run(main)
