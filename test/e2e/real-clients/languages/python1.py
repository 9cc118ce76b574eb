# Version 1 of the MCP Python SDK.
import anyio
from conversation import Answers, Words, converse, plan
from mcp import ClientSession, types
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl

answers = Answers(types)


class Version1(Words):
    async def templates(self):
        return [template.uriTemplate for template in (await self.client.list_resource_templates()).resourceTemplates]

    async def read(self, uri):
        return await super().read(AnyUrl(uri))

    def next_request(self):
        return self.client._request_id

    async def cancel(self, request):
        params = types.CancelledNotificationParams(requestId=request)
        await self.client.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))


async def elicited(context, params):
    return answers.elicited()


async def sampled(context, params):
    return answers.sampled(params.messages)


async def roots(context):
    return types.ListRootsResult(roots=[answers.home()])


async def main():
    async with streamablehttp_client(plan["url"]) as (read, write, _):
        callbacks = {
            "elicitation_callback": elicited,
            "sampling_callback": sampled,
            "list_roots_callback": roots,
        }
        async with ClientSession(read, write, **callbacks) as client:
            result = await client.initialize()
            await converse(Version1(client, types), result.protocolVersion)


anyio.run(main)
