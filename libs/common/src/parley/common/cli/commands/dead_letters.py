"""`parley dead-letters`: count and replay the events that could not be handled."""

from __future__ import annotations

import click

from parley.common.cli.command import CommandError, CommandResult, async_command
from parley.common.cli.plugins import load_plugins
from parley.common.cli.settings import require_env_var
from parley.common.cli.terminal import format_table
from parley.common.messaging import dead_letters


@async_command(
    "dead-letters list",
    "count the events that could not be handled, by queue",
    details="QUEUE is a queue's name, like parley.chat.facts; without one, the queues of the services installed here."
    " Needs AMQP_URL alone. Takes nothing out of a queue.",
)
@click.argument("queues", metavar="[QUEUE]...", nargs=-1)
async def list_dead_letters(queues: tuple[str, ...]) -> CommandResult:
    url = require_env_var("AMQP_URL")
    names = queues or tuple(queue for plugin in load_plugins() for queue in plugin.queues)
    if not names:
        raise CommandError("the service installed here has no queues; name one, like parley.chat.facts")
    counts = [(name, await dead_letters.count(url, name)) for name in names]
    data = [{"queue": name, "dead_letters": count} for name, count in counts]
    rows = [(name, "never connected" if count is None else count) for name, count in counts]
    return CommandResult(data, format_table(("queue", "dead letters"), rows))


@async_command(
    "dead-letters replay",
    "move a queue's dead letters back to the queue",
    details="QUEUE is the queue's name, like parley.chat.facts. Needs AMQP_URL alone. Fix the cause first."
    " Handlers recognize events they have handled, so a second replay is harmless.",
)
@click.argument("queue")
@click.option("--limit", "--most", "max_messages", type=int, metavar="N", help="Move at most N messages.")
async def replay(queue: str, max_messages: int | None) -> CommandResult:
    if max_messages is not None and max_messages < 1:
        raise CommandError("--limit needs a number above 0")
    moved = await dead_letters.replay(require_env_var("AMQP_URL"), queue, max_messages)
    return CommandResult({"queue": queue, "replayed": moved}, f"{moved} replayed to {queue}")


COMMANDS = (list_dead_letters, replay)
