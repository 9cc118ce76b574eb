# A conversation of FastMCP's client with a gateway: what it says and hears is in converse.ts.
import json
import sys

import anyio
import mcp_types as types
from fastmcp import Client

plan = json.loads(sys.argv[1])


def say(**what):
    print(json.dumps(what), flush=True)


async def heard():
    await anyio.to_thread.run_sync(sys.stdin.readline)


async def elicited(message, response_type, params, context):
    return types.ElicitResult(action="accept", content=plan["answer"])


async def sampled(messages, params, context):
    said = messages[0].content.text
    content = types.TextContent(type="text", text=f"{said}, {said}")
    return types.CreateMessageResult(role="assistant", content=content, model="parrot")


async def converse(client):
    async def call(name, args, **options):
        result = await client.call_tool(name, args, **options)
        return result.content[0].text

    tools = await client.list_tools()
    prompts = await client.list_prompts()
    resources = await client.list_resources()
    templates = await client.list_resource_templates()
    servers = []
    for server in plan["servers"]:
        same = server["same"]
        prompt = await client.get_prompt(same)
        read = await client.read_resource(server["uri"])
        completed = await client.complete(
            types.PromptReference(name=server["completes"]), {"name": "arg1", "value": "v"}
        )
        steps = []

        async def progress(done, total, message):
            steps.append(done)

        await call(server["progress"], {}, progress_handler=progress)
        servers.append(
            {
                "called": await call(same, {}),
                "prompt": prompt.messages[0].content.text,
                "read": read[0].text,
                "completed": completed.values,
                "progress": steps,
                "asked": [await call(name, args) for name, args in server["asks"]],
            }
        )
    say(
        revision=client.session.protocol_version,
        tools=len(tools),
        prompts=len(prompts),
        resources=[str(resource.uri) for resource in resources],
        templates=[template.uri_template for template in templates],
        servers=servers,
    )

    async with anyio.create_task_group() as group:

        async def wait(*, task_status=anyio.TASK_STATUS_IGNORED):
            with anyio.CancelScope() as scope:
                task_status.started(scope)
                await client.call_tool(plan["waits"], {})

        scope = await group.start(wait)
        await heard()
        scope.cancel()
    say(cancelled=scope.cancelled_caught)

    await heard()
    say(again=[await call(server["same"], {}) for server in plan["servers"]])


async def main():
    mode = {"session": "legacy", "auto": "auto"}[plan["mode"]]
    async with Client(
        plan["url"],
        mode=mode,
        elicitation_handler=elicited,
        sampling_handler=sampled,
        roots=[types.Root(uri="file:///home/ada", name="home")],
    ) as client:
        await converse(client)


anyio.run(main)
