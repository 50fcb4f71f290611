"""`parley dead-letters`: what could not be handled, counted and replayed."""

from __future__ import annotations

import argparse

from parley.common.cli.main import Answer, Command, Refused, offers, required_variable, table
from parley.common.messaging.dead_letters import count, replay

_QUEUE = "the queue's own name, for example parley.chat.facts"


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", nargs="*", help=f"{_QUEUE}; without any, those of the services installed here")


async def show(wanted: argparse.Namespace) -> Answer:
    url = required_variable("AMQP_URL")
    names = wanted.queue or [queue for offer in offers() for queue in offer.queues]
    if not names:
        raise Refused("the service installed here has no queues; name one, as parley.chat.facts")
    counts = [(name, await count(url, name)) for name in names]
    data = [{"queue": name, "dead_letters": count} for name, count in counts]
    rows = [(name, "never connected" if count is None else count) for name, count in counts]
    return Answer(data, table(("queue", "dead letters"), rows))


def _replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue", help=_QUEUE)
    parser.add_argument("--most", type=int, metavar="N", help="move at most so many")


async def again(wanted: argparse.Namespace) -> Answer:
    if wanted.most is not None and wanted.most < 1:
        raise Refused("--most needs a number above 0")
    moved = await replay(required_variable("AMQP_URL"), wanted.queue, wanted.most)
    return Answer({"queue": wanted.queue, "replayed": moved}, f"{moved} replayed to {wanted.queue}")


COMMANDS = (
    Command(
        "dead-letters list",
        "count the events that could not be handled, by queue",
        show,
        _list_arguments,
        "Reads AMQP_URL alone. Nothing is taken out of a queue.",
    ),
    Command(
        "dead-letters replay",
        "give the dead letters of a queue another chance",
        again,
        _replay_arguments,
        "Reads AMQP_URL alone. Mend the cause first. Handlers know an event they have handled, so that doing it twice\n"
        "does no harm.",
    ),
)
