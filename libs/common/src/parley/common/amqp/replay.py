"""`python -m parley.common.amqp.replay QUEUE`: gives the dead letters of a queue another chance.

Each is published to its queue again, with a confirm, before it is taken from the dead letters: stopped in the middle,
some are there twice, and consumers know an event they have seen.
"""

from __future__ import annotations

import argparse
import asyncio
import os

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

_OF_THE_BROKER = ("x-death", "x-delivery-count", "x-first-death", "x-last-death")


async def replay(url: str, queue: str, most: int | None = None) -> int:
    """Move dead letters back, the oldest first. Returns how many were moved."""
    connection = await aio_pika.connect(url, timeout=5)
    async with connection:
        channel = await connection.channel(publisher_confirms=True)
        dead = await channel.declare_queue(f"{queue}.dead", passive=True)
        # What dies again while we are at it waits for the next time.
        waiting = dead.declaration_result.message_count or 0
        moved = 0
        while moved < min(waiting, most or waiting) and (message := await _next(dead)) is not None:
            headers = {name: value for name, value in message.headers.items() if not name.startswith(_OF_THE_BROKER)}
            again = aio_pika.Message(
                message.body,
                headers=headers,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=message.message_id,
                type=message.type,
            )
            await channel.default_exchange.publish(again, queue, timeout=5)
            await message.ack()
            moved += 1
        return moved


async def _next(queue: AbstractQueue) -> AbstractIncomingMessage | None:
    return await queue.get(fail=False, timeout=5)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Replay the dead letters of a queue.")
    parser.add_argument("queue", help="the queue's own name, for example parley.chat.facts")
    parser.add_argument("--most", type=int, help="move at most so many")
    wanted = parser.parse_args()
    moved = asyncio.run(replay(os.environ["AMQP_URL"], wanted.queue, wanted.most))
    print(f"{moved} replayed to {wanted.queue}")  # noqa: T201 - a command answers


if __name__ == "__main__":
    main()
