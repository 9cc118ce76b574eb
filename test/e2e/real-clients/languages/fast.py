# FastMCP's client.
import anyio
import mcp_types as types
from conversation import Answers, Words, converse, mode, plan
from fastmcp import Client

answers = Answers(types)


class FastMcp(Words):
    progress = "progress_handler"

    async def tools(self):
        return await self.client.list_tools()

    async def prompts(self):
        return await self.client.list_prompts()

    async def resources(self):
        return await self.client.list_resources()

    async def templates(self):
        return [template.uri_template for template in await self.client.list_resource_templates()]

    async def read(self, uri):
        return (await self.client.read_resource(uri))[0].text

    async def complete(self, prompt):
        ref = types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.client.complete(ref, {"name": "arg1", "value": "v"})).values


async def elicited(message, response_type, params, context):
    return answers.elicited()


async def sampled(messages, params, context):
    return answers.sampled(messages)


async def main():
    handlers = {"elicitation_handler": elicited, "sampling_handler": sampled, "roots": [answers.home()]}
    async with Client(plan["url"], mode=mode(), **handlers) as client:
        await converse(FastMcp(client, types), client.session.protocol_version)


anyio.run(main)
