# What every client of Python says to a gateway and hears from it: converse.ts has the other side. A client hands over what its
# SDK does in words of its own.
import json
import sys

import anyio

plan = json.loads(sys.argv[1])


def say(**what):
    print(json.dumps(what), flush=True)


async def heard():
    await anyio.to_thread.run_sync(sys.stdin.readline)


class Words:
    """How a client is asked for what its SDK names in its own way."""

    # The name of the argument that takes who hears of progress.
    progress = "progress_callback"

    def __init__(self, client, types):
        self.client = client
        self.types = types

    async def templates(self):
        return [template.uri_template for template in (await self.client.list_resource_templates()).resource_templates]

    async def tools(self):
        return (await self.client.list_tools()).tools

    async def prompts(self):
        return (await self.client.list_prompts()).prompts

    async def resources(self):
        return (await self.client.list_resources()).resources

    async def read(self, uri):
        return (await self.client.read_resource(uri)).contents[0].text

    async def complete(self, prompt):
        ref = self.types.PromptReference(type="ref/prompt", name=prompt)
        return (await self.client.complete(ref, {"name": "arg1", "value": "v"})).completion.values

    def next_request(self):
        """What names the request that comes next to `cancel`."""

    async def cancel(self, request):
        """Tells the server, where the SDK does not when its caller is cancelled."""


class Answers:
    """What a server hears that asks the client, under the types of its SDK."""

    def __init__(self, types):
        self.types = types

    def elicited(self):
        return self.types.ElicitResult(action="accept", content=plan["answer"])

    def sampled(self, messages):
        said = messages[0].content.text
        content = self.types.TextContent(type="text", text=f"{said}, {said}")
        return self.types.CreateMessageResult(role="assistant", content=content, model="parrot")

    def home(self):
        return self.types.Root(uri="file:///home/ada", name="home")


async def converse(words, revision):
    client = words.client

    async def call(name, args, **options):
        result = await client.call_tool(name, args, **options)
        return result.content[0].text

    tools = await words.tools()
    prompts = await words.prompts()
    resources = await words.resources()
    templates = await words.templates()
    servers = []
    for server in plan["servers"]:
        same = server["same"]
        prompt = await client.get_prompt(same)
        read = await words.read(server["uri"])
        completed = await words.complete(server["completes"])
        steps = []

        async def progress(done, total, message):
            steps.append(done)

        await call(server["progress"], {}, **{words.progress: progress})
        servers.append(
            {
                "called": await call(same, {}),
                "prompt": prompt.messages[0].content.text,
                "read": read,
                "completed": completed,
                "progress": steps,
                "asked": [await call(name, args) for name, args in server["asks"]],
            }
        )
    say(
        revision=revision,
        tools=len(tools),
        prompts=len(prompts),
        resources=[str(resource.uri) for resource in resources],
        templates=templates,
        servers=servers,
    )

    async with anyio.create_task_group() as group:

        async def wait(*, task_status=anyio.TASK_STATUS_IGNORED):
            with anyio.CancelScope() as scope:
                task_status.started((scope, words.next_request()))
                await client.call_tool(plan["waits"], {})

        scope, request = await group.start(wait)
        await heard()
        await words.cancel(request)
        scope.cancel()
    say(cancelled=scope.cancelled_caught)

    await heard()
    say(again=[await call(server["same"], {}) for server in plan["servers"]])


def mode():
    """What the clients that speak both eras call the one that is asked for."""
    return {"session": "legacy", "auto": "auto"}[plan["mode"]]
