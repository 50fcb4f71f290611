"""`parley search`: the index that searches are answered from."""

from __future__ import annotations

from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings
from parley.common.cli import CommandResult, async_command, read_settings


@async_command(
    "search rebuild",
    "index everything again that is stored, and remove from the index what is not",
    details="Searches find everything meanwhile. Only needed if something is found that is gone, or not found.",
)
async def rebuild() -> CommandResult:
    documents = 0
    async with open_context(read_settings(ChatSettings)) as context:
        async for done in context.search.feed.rebuild():
            documents = done
        segments = await context.search.segments.build_due()
    data = {"documents": documents, "segments": segments}
    return CommandResult(data, f"Read {documents} messages, notes and conversations; built {segments} segments.")


COMMANDS = (rebuild,)
