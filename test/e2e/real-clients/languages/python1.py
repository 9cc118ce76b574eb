# A conversation of version 1 of the MCP Python SDK with a gateway: what it says and hears is in converse.ts.
import json
import sys

import anyio
from mcp import ClientSession, types
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl

plan = json.loads(sys.argv[1])


def say(**what):
    print(json.dumps(what), flush=True)


async def heard():
    await anyio.to_thread.run_sync(sys.stdin.readline)


async def elicited(context, params):
    return types.ElicitResult(action="accept", content=plan["answer"])


async def sampled(context, params):
    said = params.messages[0].content.text
    content = types.TextContent(type="text", text=f"{said}, {said}")
    return types.CreateMessageResult(role="assistant", content=content, model="parrot")


async def roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///home/ada", name="home")])


async def converse(client, revision):
    async def call(name, args, **options):
        result = await client.call_tool(name, args, **options)
        return result.content[0].text

    tools = (await client.list_tools()).tools
    prompts = (await client.list_prompts()).prompts
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resourceTemplates
    servers = []
    for server in plan["servers"]:
        same = server["same"]
        prompt = await client.get_prompt(same)
        read = await client.read_resource(AnyUrl(server["uri"]))
        completed = await client.complete(
            types.PromptReference(type="ref/prompt", name=server["completes"]), {"name": "arg1", "value": "v"}
        )
        steps = []

        async def progress(done, total, message):
            steps.append(done)

        await call(server["progress"], {}, progress_callback=progress)
        servers.append(
            {
                "called": await call(same, {}),
                "prompt": prompt.messages[0].content.text,
                "read": read.contents[0].text,
                "completed": completed.completion.values,
                "progress": steps,
                "asked": [await call(name, args) for name, args in server["asks"]],
            }
        )
    say(
        revision=revision,
        tools=len(tools),
        prompts=len(prompts),
        resources=[str(resource.uri) for resource in resources],
        templates=[template.uriTemplate for template in templates],
        servers=servers,
    )

    async with anyio.create_task_group() as group:

        async def wait(*, task_status=anyio.TASK_STATUS_IGNORED):
            with anyio.CancelScope() as scope:
                task_status.started((scope, client._request_id))
                await client.call_tool(plan["waits"], {})

        scope, request = await group.start(wait)
        await heard()
        # This version leaves it to its user to tell the server.
        params = types.CancelledNotificationParams(requestId=request)
        await client.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))
        scope.cancel()
    say(cancelled=scope.cancelled_caught)

    await heard()
    say(again=[await call(server["same"], {}) for server in plan["servers"]])


async def main():
    async with streamablehttp_client(plan["url"]) as (read, write, _):
        callbacks = {
            "elicitation_callback": elicited,
            "sampling_callback": sampled,
            "list_roots_callback": roots,
        }
        async with ClientSession(read, write, **callbacks) as client:
            result = await client.initialize()
            await converse(client, result.protocolVersion)


anyio.run(main)
